package redisstore

import (
	"context"

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
	var total *redis.IntCmd
	var members *redis.StringSliceCmd
	// Not a transaction, which a Redis whose memory is full refuses even to read: at worst a page is counted in the moment after a write.
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		if q.Namespace == "" {
			total = p.ZCard(ctx, s.keys.list())
			members = p.ZRange(ctx, s.keys.list(), int64(start), int64(end)-1)
			return nil
		}
		first, last := lexRange(q)
		total = p.ZLexCount(ctx, s.keys.list(), first, last)
		members = p.ZRangeByLex(ctx, s.keys.list(), &redis.ZRangeBy{
			Min: first, Max: last, Offset: int64(start), Count: int64(end - start),
		})
		return nil
	})
	if err != nil {
		return nil, judge(ctx, err)
	}
	return &function.Page{Items: refs(members.Val()), Total: int(total.Val())}, nil
}

// lexRange returns the ends of the part of the list that q selects, as ZRANGEBYLEX takes them.
func lexRange(q function.Query) (first, last string) {
	prefix := member(function.Ref{Namespace: q.Namespace, ID: q.ID})
	if q.ID != "" {
		return "[" + prefix, "[" + prefix
	}
	return "[" + prefix, "(" + prefix[:len(prefix)-1] + string(prefix[len(prefix)-1]+1)
}

func refs(members []string) []function.Ref {
	items := make([]function.Ref, 0, len(members))
	for _, m := range members {
		if ref, ok := parseMember(m); ok {
			items = append(items, ref)
		}
	}
	return items
}
