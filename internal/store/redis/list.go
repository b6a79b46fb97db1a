package redis

import (
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// List returns a page of the functions, or function.ErrInvalidPage. Members of the list that name no function are
// counted in Total but left out of Items.
func (s *Store) List(ctx context.Context, q function.Query) (*function.Page, error) {
	page, err := s.list(ctx, q)
	return page, at("list", err)
}

func (s *Store) list(ctx context.Context, q function.Query) (*function.Page, error) {
	start, end, err := q.Bounds()
	if err != nil {
		return nil, err
	}
	if q.Namespace != "" && q.ID != "" {
		return s.listOne(ctx, q.Namespace, q.ID, start, end)
	}
	ranges := s.ranges(q)
	totals := make([]*redis.IntCmd, len(ranges))
	// Not a transaction, which a Redis without free memory refuses even for reads: at worst the count is newer than the
	// page.
	pages := make([]*redis.StringSliceCmd, len(ranges))
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, r := range ranges {
			if r == (lexRange{}) {
				totals[i] = p.ZCard(ctx, s.keys.list())
				pages[i] = p.ZRange(ctx, s.keys.list(), int64(start), int64(end)-1)
				continue
			}
			totals[i] = p.ZLexCount(ctx, s.keys.list(), r.first, r.last)
			pages[i] = p.ZRangeByLex(ctx, s.keys.list(), &redis.ZRangeBy{
				Min: r.first, Max: r.last, Offset: int64(start), Count: int64(end - start),
			})
		}
		return nil
	})
	if err != nil {
		return nil, storeError(ctx, err)
	}
	members, total := pages[0].Val(), int(totals[0].Val())
	if len(ranges) > 1 {
		if members, err = s.fillPage(ctx, ranges[1], members, max(start-total, 0), end-start); err != nil {
			return nil, err
		}
		total += int(totals[1].Val())
	}
	items, err := s.refs(ctx, members)
	if err != nil {
		return nil, err
	}
	if q.Namespace != "" {
		items = slices.DeleteFunc(items, func(r function.Ref) bool { return r.Namespace != q.Namespace })
	}
	return &function.Page{Items: items, Total: total}, nil
}

// fillPage fills a page that ends in the first range with what the second one begins with.
func (s *Store) fillPage(ctx context.Context, r lexRange, members []string, skip, size int) ([]string, error) {
	if len(members) == size {
		return members, nil
	}
	more, err := s.client.ZRangeByLex(ctx, s.keys.list(), &redis.ZRangeBy{
		Min: r.first, Max: r.last, Offset: int64(skip), Count: int64(size - len(members)),
	}).Result()
	return append(members, more...), storeError(ctx, err)
}

// listOne lists one function.
func (s *Store) listOne(ctx context.Context, namespace, id string, start, end int) (*function.Page, error) {
	ref := function.Ref{Namespace: namespace, ID: id}
	members := []string{s.keys.own(ref).member}
	if shared := s.keys.shared(ref).member; shared != members[0] {
		members = append(members, shared)
	}
	listed := make([]*redis.FloatCmd, len(members))
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, m := range members {
			listed[i] = p.ZScore(ctx, s.keys.list(), m)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, storeError(ctx, err)
	}
	var present []string
	for i, m := range members {
		if listed[i].Err() == nil {
			present = append(present, m)
		}
	}
	items, err := s.refs(ctx, present)
	if err != nil || !slices.Contains(items, ref) {
		return &function.Page{}, err
	}
	return &function.Page{Items: []function.Ref{ref}[min(start, 1):min(end, 1)], Total: 1}, nil
}

// lexRange has the ends of a part of the list, as ZRANGEBYLEX takes them; the zero value is all of it.
type lexRange struct{ first, last string }

// ranges are the parts of the list that q selects: functions by their own members, and by their shared ones if these
// begin otherwise.
func (s *Store) ranges(q function.Query) []lexRange {
	if q.Namespace == "" {
		return make([]lexRange, 1)
	}
	own := prefixed(escape(q.Namespace) + ":")
	if shared := prefixed(q.Namespace + ":"); shared != own && !looksEscaped.MatchString(q.Namespace) {
		return []lexRange{own, shared}
	}
	return []lexRange{own}
}

// prefixed is the part of the list that begins with text.
func prefixed(text string) lexRange {
	return lexRange{"[" + text, "(" + text[:len(text)-1] + string(text[len(text)-1]+1)}
}
