package redisstore

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// In a cluster the hash of a function and the list of functions lie on different nodes, since their names are given, and
// no script can write both. There the order of the writes keeps one promise, also when this server dies between two of
// them: a function that is stored is listed. A listed function that is not stored may remain; Get does not find it, and
// writing or deleting it again puts things right.

// listing runs write, which stores ref, and lists ref. Write is given its keys; with the second it does the listing.
func (s *Store) listing(ctx context.Context, ref function.Ref, write func(keys []string) error) error {
	if !s.cluster {
		return write([]string{s.keys.function(ref), s.keys.list()})
	}
	if err := s.enlist(ctx, ref); err != nil {
		return err
	}
	if err := write([]string{s.keys.function(ref)}); err != nil {
		return err
	}
	return s.enlist(ctx, ref) // a deletion may have come between
}

// delisting runs write, which deletes ref, and takes ref off the list. Write is given its keys as with listing.
func (s *Store) delisting(ctx context.Context, ref function.Ref, write func(keys []string) error) error {
	if !s.cluster {
		return write([]string{s.keys.function(ref), s.keys.list()})
	}
	if err := write([]string{s.keys.function(ref)}); err != nil {
		return err
	}
	if err := s.client.ZRem(ctx, s.keys.list(), member(ref)).Err(); err != nil {
		return judge(ctx, err)
	}
	stored, err := s.client.Exists(ctx, s.keys.function(ref)).Result()
	if err != nil || stored == 0 {
		return judge(ctx, err)
	}
	return s.enlist(ctx, ref) // it was written again meanwhile
}

func (s *Store) enlist(ctx context.Context, ref function.Ref) error {
	return judge(ctx, s.insist(ctx, func() error {
		return s.client.ZAdd(ctx, s.keys.list(), redis.Z{Member: member(ref)}).Err()
	}))
}
