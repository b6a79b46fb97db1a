package bolt

import (
	"context"
	"encoding/json"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// Public returns the list of public functions, in the order of lists.
func (s *Store) Public(ctx context.Context) (all []function.Ref, err error) {
	err = s.view(ctx, "public", func(tx *bbolt.Tx) error {
		return tx.Bucket(publicBucket).ForEach(func(key, _ []byte) error {
			ref, err := parsePublic(key)
			all = append(all, ref)
			return err
		})
	})
	slices.SortFunc(all, function.Ref.Compare)
	return all, err
}

// AddPublic adds a function to the list, or returns function.ErrTooManyPublic.
func (s *Store) AddPublic(ctx context.Context, ref function.Ref) error {
	return s.update(ctx, "add public "+ref.String(), function.Change{Public: true}, func(tx *bbolt.Tx) error {
		all, key := tx.Bucket(publicBucket), publicKey(ref)
		if all.Get(key) == nil && all.Stats().KeyN >= s.Limits.MaxPublic() {
			return function.ErrTooManyPublic
		}
		return all.Put(key, []byte{})
	})
}

// RemovePublic removes a function from the list.
func (s *Store) RemovePublic(ctx context.Context, ref function.Ref) error {
	return s.update(ctx, "remove public "+ref.String(), function.Change{Public: true}, func(tx *bbolt.Tx) error {
		return tx.Bucket(publicBucket).Delete(publicKey(ref))
	})
}

// publicKey is the key of a function in the list: its namespace and its ID as a JSON array, since both are any text.
func publicKey(ref function.Ref) []byte {
	key, err := json.Marshal([2]string{ref.Namespace, ref.ID})
	if err != nil { // texts always marshal
		panic(err)
	}
	return key
}

// parsePublic is the inverse of publicKey.
func parsePublic(key []byte) (function.Ref, error) {
	var names [2]string
	err := json.Unmarshal(key, &names)
	return function.Ref{Namespace: names[0], ID: names[1]}, err
}
