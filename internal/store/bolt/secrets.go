package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// Secrets returns the secrets of a scope in the order of their names.
func (s *Store) Secrets(ctx context.Context, scope function.SecretScope) (all []*function.Secret, err error) {
	err = s.view(ctx, "secrets of "+scope.String(), func(tx *bbolt.Tx) error {
		eachSecret(tx, scope, func(ref function.SecretRef, _, text []byte) {
			all = append(all, function.ParseSecret(ref, text))
		})
		return nil
	})
	slices.SortFunc(all, func(a, b *function.Secret) int { return cmp.Compare(a.Name, b.Name) })
	return all, err
}

// PutSecret writes a secret, or returns function.ErrSecretConflict or function.ErrTooManySecrets.
func (s *Store) PutSecret(ctx context.Context, next, was *function.Secret) error {
	change := function.Change{Secrets: next.Namespace}
	return s.update(ctx, "put secret "+next.String(), change, func(tx *bbolt.Tx) error {
		if err := next.Check(); err != nil {
			return err
		}
		key := secretKey(next.SecretRef)
		stored := tx.Bucket(secretsBucket).Get(key)
		if (stored == nil) != (was == nil) || stored != nil && !bytes.Equal(stored, was.Record()) {
			return function.ErrSecretConflict
		}
		count := 0
		eachSecret(tx, next.SecretScope, func(function.SecretRef, []byte, []byte) { count++ })
		if stored == nil && count >= s.Limits.MaxSecrets() {
			return function.ErrTooManySecrets
		}
		return tx.Bucket(secretsBucket).Put(key, next.Record())
	})
}

// DeleteSecret removes a secret.
func (s *Store) DeleteSecret(ctx context.Context, ref function.SecretRef) error {
	change := function.Change{Secrets: ref.Namespace}
	return s.update(ctx, "delete secret "+ref.String(), change, func(tx *bbolt.Tx) error {
		return tx.Bucket(secretsBucket).Delete(secretKey(ref))
	})
}

// DeleteSecrets removes all secrets of a scope.
func (s *Store) DeleteSecrets(ctx context.Context, scope function.SecretScope) error {
	change := function.Change{Secrets: scope.Namespace}
	return s.update(ctx, "delete secrets of "+scope.String(), change, func(tx *bbolt.Tx) error {
		var keys [][]byte
		eachSecret(tx, scope, func(_ function.SecretRef, key, _ []byte) { keys = append(keys, bytes.Clone(key)) })
		for _, key := range keys {
			if err := tx.Bucket(secretsBucket).Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

// SecretScopes returns the scopes that have secrets.
func (s *Store) SecretScopes(ctx context.Context) (all []function.SecretScope, err error) {
	err = s.view(ctx, "secret scopes", func(tx *bbolt.Tx) error {
		return tx.Bucket(secretsBucket).ForEach(func(key, _ []byte) error {
			ref, err := parseSecretKey(key)
			if err == nil && (len(all) == 0 || all[len(all)-1] != ref.SecretScope) {
				all = append(all, ref.SecretScope)
			}
			return err
		})
	})
	slices.SortFunc(all, function.SecretScope.Compare)
	return slices.Compact(all), err
}

// eachSecret calls found for each secret of a scope, in the order of the keys.
func eachSecret(tx *bbolt.Tx, scope function.SecretScope, found func(ref function.SecretRef, key, text []byte)) {
	c, prefix := tx.Bucket(secretsBucket).Cursor(), scopePrefix(scope)
	for key, text := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, text = c.Next() {
		if ref, err := parseSecretKey(key); err == nil {
			found(ref, key, text)
		}
	}
}

// secretKey is the key of a secret: its namespace, the ID of its function and its name as a JSON array, since the first
// two are any text.
func secretKey(ref function.SecretRef) []byte {
	return keyOf(ref.Namespace, ref.ID, ref.Name)
}

// scopePrefix is what the keys of all secrets of a scope begin with, and no others.
func scopePrefix(scope function.SecretScope) []byte {
	key := keyOf(scope.Namespace, scope.ID)
	key[len(key)-1] = ',' // in place of the end of the array
	return key
}

func keyOf(names ...string) []byte {
	key, err := json.Marshal(names)
	if err != nil { // texts always marshal
		panic(err)
	}
	return key
}

// parseSecretKey is the inverse of secretKey.
func parseSecretKey(key []byte) (function.SecretRef, error) {
	var names [3]string
	err := json.Unmarshal(key, &names)
	scope := function.SecretScope{Namespace: names[0], ID: names[1]}
	return function.SecretRef{SecretScope: scope, Name: names[2]}, err
}
