package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// maxYields bounds how often lines give way to one write.
const maxYields = 8

// insist does write. While Redis has no memory for it, lines that functions printed give way, if they are in the same Redis: what
// one namespace prints must not keep another from its deploys.
func (s *Store) insist(ctx context.Context, write func() error) error {
	err := write()
	for range maxYields {
		if !redis.IsOOMError(err) || !s.logStore.yield(ctx) {
			break
		}
		err = write()
	}
	return err
}

// yield drops all lines of the namespace that takes the most, in a cluster that of each part, and says whether there were any. It
// uses only commands that a full Redis takes; the counts are made anew by the lines to come.
func (l *logStore) yield(ctx context.Context) bool {
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

// dropGroup drops all lines of a group that are counted.
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
