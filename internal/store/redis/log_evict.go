package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// maxEvictions bounds how often lines are evicted for one write.
const maxEvictions = 8

// evicting runs write. While Redis has no memory for it, lines that functions printed are evicted, if they are in the
// same Redis: what one namespace prints must not make deploys of another fail.
func (s *Store) evicting(ctx context.Context, write func() error) error {
	err := write()
	for range maxEvictions {
		if !redis.IsOOMError(err) || !s.logStore.evictLines(ctx) {
			break
		}
		err = write()
	}
	return err
}

// evictLines drops all lines of the largest group, in a cluster of the largest group of each part, and says whether
// there were any. It uses only commands that a full Redis accepts. Later lines restore the counts.
func (l *logStore) evictLines(ctx context.Context) bool {
	if l.own {
		return false
	}
	dropped := false
	for _, usage := range l.keys.usages() {
		names, err := l.client.ZRevRange(ctx, usage, 0, 0).Result()
		if err != nil || len(names) == 0 {
			continue
		}
		if tag, ok := l.keys.groupTag(names[0]); ok && l.keys.groupCounts(names[0], tag)[2] == usage {
			dropped = l.dropGroup(ctx, names[0], tag) || dropped
		}
	}
	return dropped
}

// dropGroup drops all counted lines of a group.
func (l *logStore) dropGroup(ctx context.Context, group, tag string) bool {
	counts := l.keys.groupCounts(group, tag)
	order, sizes, usage, expires, total := counts[0], counts[1], counts[2], counts[3], counts[4]
	ids, err := l.client.ZRange(ctx, order, 0, -1).Result()
	if err != nil {
		return false
	}
	_, err = l.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, id := range ids {
			p.Del(ctx, l.keys.entryStream(group, tag, id))
		}
		p.Del(ctx, order, sizes, total)
		p.ZRem(ctx, usage, group)
		p.ZRem(ctx, expires, group)
		return nil
	})
	return err == nil
}
