package redis

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// waitingMessages is how many messages may wait for one subscriber. More are dropped by the client after a while.
const waitingMessages = 256

// Publish passes message to all who listen to that name, and says whether anybody does.
func (s *Store) Publish(ctx context.Context, to string, message []byte) (heard bool, err error) {
	channel := s.keys.messages(to)
	n, err := s.client.Publish(ctx, channel, message).Result()
	if err == nil && n == 0 && s.cluster { // only those on the same node were counted
		n, err = s.listeners(ctx, channel)
	}
	return n > 0, at("publish a message", storeError(ctx, err))
}

// listeners counts those who listen to a channel at all nodes of a cluster.
func (s *Store) listeners(ctx context.Context, channel string) (int64, error) {
	nodes, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return 0, nil
	}
	var n atomic.Int64
	err := nodes.ForEachShard(ctx, func(ctx context.Context, node *redis.Client) error {
		counted, err := node.PubSubNumSub(ctx, channel).Result()
		n.Add(counted[channel])
		return err
	})
	return n.Load(), err
}

// Subscribe calls receive with each message to one of names, one at a time, until ctx ends or the store is closed. A
// lost connection is made again; messages are lost until then.
func (s *Store) Subscribe(ctx context.Context, names []string, receive func(message []byte)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	channels := make([]string, len(names))
	for i, name := range names {
		channels[i] = s.keys.messages(name)
	}
	sub := s.client.Subscribe(ctx, channels...)
	defer func() { _ = sub.Close() }() // nothing more is wanted of it
	messages := sub.Channel(redis.WithChannelSize(waitingMessages))
	for {
		select {
		case <-ctx.Done():
			return
		case message, ok := <-messages:
			if !ok {
				return
			}
			receive([]byte(message.Payload))
		}
	}
}
