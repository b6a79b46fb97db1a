package redis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// kept is what the keys of records of calls whose callers have waited begin with: see lua/kept_append.lua.
func (k keys) kept() string { return string(k) + "functions:kept:{kept}:" }

// AppendKept adds records. A Redis that is full takes none: what functions have printed does not make room for them.
func (s *Store) AppendKept(ctx context.Context, records []*queue.Kept, limits queue.KeptLimits) error {
	args := []any{limits.Age.Milliseconds(), limits.Calls, limits.Bytes}
	for _, k := range records {
		text, err := k.Record()
		if err != nil {
			return at("append kept calls", err)
		}
		args = append(args, k.ID, k.Ref.Namespace, listName(k.Ref), k.RequestID, text, len(text)+queue.KeptOverhead)
	}
	err := appendKeptScript.Run(ctx, s.client, []string{s.keys.kept()}, args...).Err()
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return at("append kept calls", storeError(ctx, err))
}

// GetKept returns a record.
func (s *Store) GetKept(ctx context.Context, ref function.Ref, id string) (*queue.Kept, error) {
	k, err := s.getKept(ctx, ref, id)
	return k, at("get kept call "+id, err)
}

func (s *Store) getKept(ctx context.Context, ref function.Ref, id string) (*queue.Kept, error) {
	var named *redis.StringCmd
	found, err := s.readKept(ctx, ref, []string{id}, func(p redis.Pipeliner) {
		named = p.HGet(ctx, s.keys.kept()+"requests:"+listName(ref), id)
	})
	if err == nil && len(found) == 0 && named.Val() != "" {
		found, err = s.readKept(ctx, ref, []string{named.Val()}, func(redis.Pipeliner) {})
	}
	if err == nil && len(found) == 0 {
		err = queue.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// readKept returns those records of a function that are there and have not expired. More is read together with them.
func (s *Store) readKept(
	ctx context.Context, ref function.Ref, ids []string, more func(redis.Pipeliner),
) (all []*queue.Kept, err error) {
	texts := make([]*redis.StringCmd, len(ids))
	err = read(ctx, s.client, func(p redis.Pipeliner) {
		for i, id := range ids {
			texts[i] = p.HGet(ctx, s.keys.kept()+"call:"+id, "text")
		}
		more(p)
	})
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if texts[i].Val() == "" {
			continue
		}
		k, err := queue.ParseKept(id, []byte(texts[i].Val()))
		if err != nil {
			return nil, err
		}
		if k.Ref == ref && k.Expires.After(time.Now()) {
			all = append(all, k)
		}
	}
	return all, nil
}

// ListKept returns a page of the records of a function.
func (s *Store) ListKept(ctx context.Context, q *queue.Query) (queue.KeptPage, error) {
	page, err := s.listKept(ctx, q)
	return page, at("list kept calls of "+q.Ref.String(), err)
}

func (s *Store) listKept(ctx context.Context, q *queue.Query) (page queue.KeptPage, err error) {
	list := s.keys.kept() + "list:" + listName(q.Ref)
	read := func(ids []string) ([]*queue.Kept, error) {
		return s.readKept(ctx, q.Ref, ids, func(redis.Pipeliner) {})
	}
	page.Calls, page.Next, err = pageOf(ctx, s, list, q, read, func(k *queue.Kept) (string, bool) {
		return k.ID, q.Selects(k.Status, k.Reason, k.Start)
	})
	return page, err
}
