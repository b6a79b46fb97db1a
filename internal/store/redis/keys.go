package redis

import (
	"context"
	"slices"

	"github.com/backstage/functions/internal/identity"
)

// All keys of callers are in one hash, each record under the key's ID.

// Keys returns all keys in the order of their IDs. A record that cannot be read is left out, and logged.
func (s *Store) Keys(ctx context.Context) ([]identity.Key, error) {
	var all []identity.Key
	err := s.eachRecord(ctx, s.keys.keys(), "", func(id string, record []byte) {
		if k, ok := s.parseKey(ctx, id, record); ok {
			all = append(all, k)
		}
	})
	slices.SortFunc(all, identity.Key.Compare)
	return all, at("keys", err)
}

// parseKey reads the record of a key. One that cannot be read is logged.
func (s *Store) parseKey(ctx context.Context, id string, record []byte) (k identity.Key, ok bool) {
	k, err := identity.Parse(id, record)
	if err != nil {
		s.log.WarnContext(ctx, "A key in Redis cannot be read, so nobody can use it: delete it", "key", id, "error", err)
	}
	return k, err == nil
}

// Key returns a key, or identity.ErrNotFound, also when its record cannot be read.
func (s *Store) Key(ctx context.Context, id string) (identity.Key, error) {
	record, err := s.oneRecord(ctx, s.keys.keys(), id)
	if err != nil {
		return identity.Key{}, at("key "+id, err)
	}
	if record != nil {
		if k, ok := s.parseKey(ctx, id, record); ok {
			return k, nil
		}
	}
	return identity.Key{}, at("key "+id, identity.ErrNotFound)
}

// PutKey writes a key, or returns identity.ErrTooMany.
func (s *Store) PutKey(ctx context.Context, k identity.Key) error {
	return at("put key "+k.ID, s.putKey(ctx, k))
}

func (s *Store) putKey(ctx context.Context, k identity.Key) error {
	if err := k.Check(); err != nil {
		return err
	}
	found, err := s.run(ctx, putFieldScript, []string{s.keys.keys()}, s.keys.changes(), keysNotice,
		k.ID, k.Record(), s.limits.MaxKeys())
	if _, full := found.(int64); full {
		return identity.ErrTooMany
	}
	return err
}

// DeleteKey removes a key.
func (s *Store) DeleteKey(ctx context.Context, id string) error {
	_, err := s.run(ctx, deleteFieldScript, []string{s.keys.keys()}, s.keys.changes(), keysNotice, id)
	return at("delete key "+id, err)
}
