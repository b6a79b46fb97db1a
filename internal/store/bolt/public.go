package bolt

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// Public returns the list of public functions, in the order of lists.
func (s *Store) Public(ctx context.Context) (all []function.Open, err error) {
	err = s.view(ctx, "public", func(tx *bbolt.Tx) error {
		return tx.Bucket(publicBucket).ForEach(func(key, access []byte) error {
			f, err := parsePublic(key, access)
			all = append(all, f)
			return err
		})
	})
	slices.SortFunc(all, func(a, b function.Open) int { return a.Ref.Compare(b.Ref) })
	return all, err
}

// AddPublic adds a function to the list, or returns function.ErrTooManyPublic.
func (s *Store) AddPublic(ctx context.Context, f function.Open) error {
	return s.update(ctx, "add public "+f.Ref.String(), function.Change{Public: true}, func(tx *bbolt.Tx) error {
		all, key := tx.Bucket(publicBucket), publicKey(f.Ref)
		if all.Get(key) == nil && all.Stats().KeyN >= s.Limits.MaxPublic() {
			return function.ErrTooManyPublic
		}
		return all.Put(key, []byte(f.Access))
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

// parsePublic is the function of a key in the list, whose value is its access.
func parsePublic(key, access []byte) (function.Open, error) {
	var names [2]string
	if err := json.Unmarshal(key, &names); err != nil {
		return function.Open{}, err
	}
	f, ok := function.ParseOpen(function.Ref{Namespace: names[0], ID: names[1]}, string(access))
	if !ok {
		return f, fmt.Errorf("%.100q is no access of a public function", access)
	}
	return f, nil
}
