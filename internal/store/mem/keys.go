package mem

import (
	"context"
	"maps"
	"slices"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
)

// Keys returns all keys in the order of their IDs.
func (s *Store) Keys(ctx context.Context) (all []identity.Key, err error) {
	err = s.read(ctx, "keys", func() error {
		all = slices.SortedFunc(maps.Values(s.keys), identity.Key.Compare)
		return nil
	})
	return all, err
}

// Key returns a key, or identity.ErrNotFound.
func (s *Store) Key(ctx context.Context, id string) (k identity.Key, err error) {
	err = s.read(ctx, "key "+id, func() error {
		var there bool
		if k, there = s.keys[id]; !there {
			return identity.ErrNotFound
		}
		return nil
	})
	return k, err
}

// PutKey writes a key, or returns identity.ErrTooMany.
func (s *Store) PutKey(ctx context.Context, k identity.Key) error {
	return s.write(ctx, "put key "+k.ID, function.Change{Keys: true}, func() error {
		if err := k.Check(); err != nil {
			return err
		}
		if _, replaces := s.keys[k.ID]; !replaces && len(s.keys) >= s.Limits.MaxKeys() {
			return identity.ErrTooMany
		}
		s.keys[k.ID] = k
		return nil
	})
}

// DeleteKey removes a key.
func (s *Store) DeleteKey(ctx context.Context, id string) error {
	return s.write(ctx, "delete key "+id, function.Change{Keys: true}, func() error {
		delete(s.keys, id)
		return nil
	})
}
