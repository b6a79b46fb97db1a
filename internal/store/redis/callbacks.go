package redis

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// TakeCallbacks takes callbacks that are due.
func (s *Store) TakeCallbacks(
	ctx context.Context, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	always := func() bool { return true }
	taken, next, err = s.take(ctx, s.keys.callbackParts(), server, most, lease, always)
	return taken, next, at("take callbacks", err)
}

// SettleCallback ends a take.
func (s *Store) SettleCallback(ctx context.Context, how *queue.Settlement) (queue.Status, error) {
	answer, err := s.settle(ctx, callbackPart(s.keys.callsOf(how.Ref.Namespace)), how, partTotal{}, true)
	status := queue.Status(append(textsOf(answer), "")[0])
	if err == nil && status == "lost" {
		status, err = "", queue.ErrLost
	}
	return status, at("settle callback "+how.ID, err)
}

// RedriveCallback queues a dead callback again.
func (s *Store) RedriveCallback(ctx context.Context, ref function.Ref, id string) error {
	answer, err := s.run(ctx, redriveCallbackScript, []string{callbackPart(s.keys.callsOf(ref.Namespace))},
		id, listName(ref), queue.CallbackMaxAge.Milliseconds(), rand.Text())
	return at("redrive callback "+id, callError(answer, err))
}

// GetCallback returns the record of a callback.
func (s *Store) GetCallback(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	c, err := s.getCallback(ctx, ref, id)
	return c, at("get callback "+id, err)
}

func (s *Store) getCallback(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	part := s.keys.callsOf(ref.Namespace)
	var record *redis.SliceCmd
	var state *redis.StringCmd
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		record = p.HMGet(ctx, callbackPart(part)+"call:"+id, callFields...)
		state = p.HGet(ctx, part+"call:"+id, "callback")
		return nil
	})
	if err != nil && err != redis.Nil { //nolint:errorlint // the client's own, bare
		return nil, storeError(ctx, err)
	}
	c, err := parseCall(id, record.Val())
	if err != nil {
		return nil, err
	}
	if c == nil || c.Ref != ref || state.Val() == "" {
		return nil, queue.ErrNotFound
	}
	return c, nil
}

// CallbackStats counts all callbacks.
func (s *Store) CallbackStats(ctx context.Context) (queue.Stats, error) {
	stats, err := s.statsOf(ctx, s.keys.callbackParts())
	return stats, at("callback stats", err)
}
