package redis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/queue"
)

// scanStep is how many records are read at a time for a list.
const scanStep = 100

// ListCalls returns a page of the calls of a function.
func (s *Store) ListCalls(ctx context.Context, q *queue.Query) (queue.Page, error) {
	page, err := s.listCalls(ctx, q)
	return page, at("list calls of "+q.Ref.String(), err)
}

func (s *Store) listCalls(ctx context.Context, q *queue.Query) (page queue.Page, err error) {
	list := s.keys.callsOf(q.Ref.Namespace) + "list:" + listName(q.Ref)
	read := func(ids []string) ([]*queue.Call, error) {
		return s.readCalls(ctx, q.Ref, ids, func(id string, damage error) error { // one that is damaged hides no others
			s.log.WarnContext(ctx, "A queued call in Redis cannot be read", "call", id, "error", damage)
			return nil
		})
	}
	page.Calls, page.Next, err = pageOf(ctx, s, list, q, read, func(c *queue.Call) (string, bool) {
		return c.ID, q.Matches(c)
	})
	return page, err
}

// pageOf reads a page of a sorted set of IDs, from the newest on. Of says the ID of a record, and whether q selects it.
func pageOf[R any](
	ctx context.Context, s *Store, list string, q *queue.Query, read func(ids []string) ([]R, error),
	of func(R) (id string, selected bool),
) (page []R, next string, err error) {
	after := q.After
	for scanned := 0; ; scanned += scanStep {
		before := "+"
		if after != "" {
			before = "(" + after
		}
		ids, err := s.client.ZRevRangeByLex(ctx, list, &redis.ZRangeBy{Min: "-", Max: before, Count: scanStep}).Result()
		if err != nil {
			return page, "", storeError(ctx, err)
		}
		records, err := read(ids)
		if err != nil {
			return page, "", err
		}
		for _, record := range records {
			if len(page) == q.Limit {
				last, _ := of(page[len(page)-1])
				return page, last, nil
			}
			if _, selected := of(record); selected {
				page = append(page, record)
			}
		}
		if len(ids) < scanStep {
			return page, "", nil
		}
		after = ids[len(ids)-1]
		if scanned+scanStep >= queue.MaxScan {
			return page, after, nil
		}
	}
}

// CallStats counts all calls.
func (s *Store) CallStats(ctx context.Context) (stats queue.Stats, err error) {
	stats, err = s.statsOf(ctx, s.keys.callParts())
	if err != nil {
		return stats, at("call stats", err)
	}
	totals, err := s.readTotals(ctx)
	for _, part := range totals {
		stats.Calls += part.all.calls
		stats.Bytes += part.all.bytes
	}
	return stats, at("call stats", err)
}

// statsOf counts the calls of the parts.
func (s *Store) statsOf(ctx context.Context, parts []string) (stats queue.Stats, err error) {
	counts := make([][3]*redis.IntCmd, len(parts))
	first := make([]*redis.ZSliceCmd, len(parts))
	var clock *redis.TimeCmd
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, part := range parts {
			for j, set := range []string{"queued", "leases", "dead"} {
				counts[i][j] = p.ZCard(ctx, part+set)
			}
			first[i] = p.ZRangeWithScores(ctx, part+"queued", 0, 0)
		}
		clock = p.Time(ctx)
		return nil
	})
	if err != nil {
		return stats, storeError(ctx, err)
	}
	now := float64(clock.Val().UnixMilli())
	for i := range parts {
		stats.Queued += counts[i][0].Val()
		stats.Running += counts[i][1].Val()
		stats.Dead += counts[i][2].Val()
		if oldest := first[i].Val(); len(oldest) > 0 {
			waited := time.Duration(max(now-oldest[0].Score, 0)) * time.Millisecond
			stats.Overdue = max(stats.Overdue, waited)
		}
	}
	return stats, nil
}
