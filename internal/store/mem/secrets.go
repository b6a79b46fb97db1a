package mem

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// Secrets returns the secrets of a scope in the order of their names.
func (s *Store) Secrets(ctx context.Context, scope function.SecretScope) (all []*function.Secret, err error) {
	err = s.read(ctx, "secrets of "+scope.String(), func() error {
		for _, secret := range s.secrets[scope] {
			all = append(all, secret.Clone())
		}
		slices.SortFunc(all, func(a, b *function.Secret) int { return cmp.Compare(a.Name, b.Name) })
		return nil
	})
	return all, err
}

// PutSecret writes a secret, or returns function.ErrSecretConflict or function.ErrTooManySecrets.
func (s *Store) PutSecret(ctx context.Context, next, was *function.Secret) error {
	return s.write(ctx, "put secret "+next.String(), function.Change{Secrets: next.Namespace}, func() error {
		if err := next.Check(); err != nil {
			return err
		}
		stored := s.secrets[next.SecretScope][next.Name]
		if (stored == nil) != (was == nil) || stored != nil && !bytes.Equal(stored.Record(), was.Record()) {
			return function.ErrSecretConflict
		}
		if stored == nil && len(s.secrets[next.SecretScope]) >= s.Limits.MaxSecrets() {
			return function.ErrTooManySecrets
		}
		if s.secrets[next.SecretScope] == nil {
			s.secrets[next.SecretScope] = map[string]*function.Secret{}
		}
		s.secrets[next.SecretScope][next.Name] = next.Clone()
		return nil
	})
}

// DeleteSecret removes a secret.
func (s *Store) DeleteSecret(ctx context.Context, ref function.SecretRef) error {
	return s.write(ctx, "delete secret "+ref.String(), function.Change{Secrets: ref.Namespace}, func() error {
		delete(s.secrets[ref.SecretScope], ref.Name)
		return nil
	})
}

// DeleteSecrets removes all secrets of a scope.
func (s *Store) DeleteSecrets(ctx context.Context, scope function.SecretScope) error {
	return s.write(ctx, "delete secrets of "+scope.String(), function.Change{Secrets: scope.Namespace}, func() error {
		delete(s.secrets, scope)
		return nil
	})
}

// SecretScopes returns the scopes that have secrets.
func (s *Store) SecretScopes(ctx context.Context) (all []function.SecretScope, err error) {
	err = s.read(ctx, "secret scopes", func() error {
		for scope, secrets := range s.secrets {
			if len(secrets) > 0 {
				all = append(all, scope)
			}
		}
		slices.SortFunc(all, function.SecretScope.Compare)
		return nil
	})
	return all, err
}
