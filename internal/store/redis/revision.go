package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// Revision returns the revision of a function, or function.ErrNotFound.
func (s *Store) Revision(ctx context.Context, ref function.Ref) (string, error) {
	revision, err := s.revision(ctx, ref)
	return revision, at("revision of "+ref.String(), err)
}

func (s *Store) revision(ctx context.Context, ref function.Ref) (string, error) {
	sp, err := s.locate(ctx, ref)
	if err != nil {
		return "", err
	}
	if sp.unambiguous {
		return s.revisionAt(ctx, ref, s.here(sp).key)
	}
	found := sp.found()
	if !found.there {
		return "", function.ErrNotFound
	}
	return s.revisionOf(ctx, ref, found.versionID, found.hash)
}

func (s *Store) revisionAt(ctx context.Context, ref function.Ref, key string) (string, error) {
	var stored *redis.Cmd
	var codeLength *redis.IntCmd
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		stored = readHash(ctx, p, key, maxRevision, []string{"versionID", "hash"})
		codeLength = p.HStrLen(ctx, key, "code")
	})
	switch {
	case err != nil:
		return "", err
	case codeLength.Val() == 0:
		return "", function.ErrNotFound
	}
	values, fit := hash(stored)
	if !fit {
		return "", function.ErrRecordTooLarge
	}
	return s.revisionOf(ctx, ref, field(values, 0), field(values, 1))
}

// revisionOf is the revision of a function with these fields, which are not enough when both are empty.
func (s *Store) revisionOf(ctx context.Context, ref function.Ref, versionID, hash string) (string, error) {
	f := &function.Function{VersionID: versionID, Hash: hash}
	if versionID == "" && hash == "" {
		var err error
		if f, err = s.get(ctx, ref); err != nil {
			return "", err
		}
	}
	return f.Revision(), nil
}
