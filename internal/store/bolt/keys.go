package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
)

// Keys returns all keys in the order of their IDs.
func (s *Store) Keys(ctx context.Context) (all []identity.Key, err error) {
	err = s.view(ctx, "keys", func(tx *bbolt.Tx) error {
		return tx.Bucket(keysBucket).ForEach(func(id, text []byte) error {
			k, err := identity.Parse(string(id), text)
			all = append(all, k)
			return err
		})
	})
	return all, err
}

// Key returns a key, or identity.ErrNotFound.
func (s *Store) Key(ctx context.Context, id string) (k identity.Key, err error) {
	err = s.view(ctx, "key "+id, func(tx *bbolt.Tx) error {
		text := tx.Bucket(keysBucket).Get([]byte(id))
		if text == nil {
			return identity.ErrNotFound
		}
		k, err = identity.Parse(id, text)
		return err
	})
	return k, err
}

// PutKey writes a key, or returns identity.ErrTooMany.
func (s *Store) PutKey(ctx context.Context, k identity.Key) error {
	return s.update(ctx, "put key "+k.ID, function.Change{Keys: true}, func(tx *bbolt.Tx) error {
		if err := k.Check(); err != nil {
			return err
		}
		all := tx.Bucket(keysBucket)
		if all.Get([]byte(k.ID)) == nil && all.Stats().KeyN >= s.Limits.MaxKeys() {
			return identity.ErrTooMany
		}
		return all.Put([]byte(k.ID), k.Record())
	})
}

// DeleteKey removes a key.
func (s *Store) DeleteKey(ctx context.Context, id string) error {
	return s.update(ctx, "delete key "+id, function.Change{Keys: true}, func(tx *bbolt.Tx) error {
		return tx.Bucket(keysBucket).Delete([]byte(id))
	})
}
