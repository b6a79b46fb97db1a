package redis

import (
	"context"
	"hash/maphash"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// lost are those of refs who have no record at their own place.
func (w *walk) lost(ctx context.Context, refs []function.Ref) (lost []function.Ref, err error) {
	if len(refs) == 0 {
		return nil, nil
	}
	there := make([]*redis.IntCmd, len(refs))
	err = read(ctx, w.client, func(p redis.Pipeliner) {
		for i, r := range refs {
			there[i] = p.Exists(ctx, w.keys.own(r).key)
		}
	})
	for i, r := range refs {
		if err == nil && there[i].Val() == 0 {
			lost = append(lost, r)
		}
	}
	return lost, err
}

// list looks at the members of the list. A scan may show one twice.
func (w *walk) list(ctx context.Context) error {
	for cursor := uint64(0); ; {
		pairs, next, err := w.client.ZScan(ctx, w.keys.list(), cursor, "", scanBatch).Result()
		if absent(err) {
			return nil
		}
		if err != nil {
			return storeError(ctx, err)
		}
		var members []string
		for i := 0; i < len(pairs); i += 2 { // each with its score
			sum := maphash.String(w.seed, w.keys.list()+"\x00"+pairs[i])
			if _, known := w.seen[sum]; !known {
				w.seen[sum] = struct{}{}
				members = append(members, pairs[i])
			}
		}
		if err := w.members(ctx, members); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// members shows those that have no record, wherever one could be.
func (w *walk) members(ctx context.Context, members []string) error {
	places := make([][]*redis.IntCmd, len(members))
	err := read(ctx, w.client, func(p redis.Pipeliner) {
		for i, m := range members {
			for _, r := range splits(m, ":") {
				places[i] = append(places[i], p.Exists(ctx, w.keys.shared(r).key), p.Exists(ctx, w.keys.own(r).key))
			}
		}
	})
	if err != nil {
		return err
	}
	for i, m := range members {
		there := int64(0)
		for _, c := range places[i] {
			there += c.Val()
		}
		if there > 0 {
			continue
		}
		ref, _ := parseMember(m)
		if err := w.visit(&function.Stored{Ref: ref, Listed: m}); err != nil {
			return err
		}
	}
	return nil
}
