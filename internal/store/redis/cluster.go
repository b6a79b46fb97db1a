package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// In a cluster the hash of a function and the list of functions can be on different nodes, since Backstage Functions
// named them, and no script can write both. There the order of the writes keeps one promise, even if this server dies
// between two of them: a function that is stored is listed. A listed function that is not stored may remain: Get does
// not find it, and putting or deleting it again removes the fault.

// listing runs write, which stores a function at a place, and lists the function. Write gets its keys; if there is a
// second one, write does the listing itself.
func (s *Store) listing(ctx context.Context, at place, write func(keys []string) error) error {
	if !s.cluster {
		return write([]string{at.key, s.keys.list()})
	}
	if err := s.enlist(ctx, at.member); err != nil {
		return err
	}
	if err := write([]string{at.key}); err != nil {
		return err
	}
	return s.enlist(ctx, at.member) // a deletion may have come between
}

// delisting runs write, which deletes the function at a place, and removes it from the list. Write gets its keys as in
// listing.
func (s *Store) delisting(ctx context.Context, at place, write func(keys []string) error) error {
	if !s.cluster {
		return write([]string{at.key, s.keys.list()})
	}
	if err := write([]string{at.key}); err != nil {
		return err
	}
	if err := s.delist(ctx, at.member); err != nil {
		return err
	}
	stored, err := s.client.Exists(ctx, at.key).Result()
	if err != nil || stored == 0 {
		return storeError(ctx, err)
	}
	return s.enlist(ctx, at.member) // it was written again meanwhile
}

func (s *Store) enlist(ctx context.Context, member string) error {
	return storeError(ctx, s.evicting(ctx, func() error {
		return s.client.ZAdd(ctx, s.keys.list(), redis.Z{Member: member}).Err()
	}))
}

func (s *Store) delist(ctx context.Context, member string) error {
	return storeError(ctx, s.client.ZRem(ctx, s.keys.list(), member).Err())
}
