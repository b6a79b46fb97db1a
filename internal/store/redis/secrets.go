package redis

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// The secrets of a scope are in one hash, each record under its name. Another hash has the names of all scopes, as
// fields: a scope is put there before its first secret, and again afterwards, should somebody have removed it in
// between.

// Secrets returns the secrets of a scope in the order of their names.
func (s *Store) Secrets(ctx context.Context, scope function.SecretScope) ([]*function.Secret, error) {
	var all []*function.Secret
	err := s.eachRecord(ctx, s.keys.secrets(scope), "", func(name string, record []byte) {
		if function.SecretNameFault(name) == "" {
			ref := function.SecretRef{SecretScope: scope, Name: name}
			all = append(all, function.ParseSecret(ref, record))
		}
	})
	slices.SortFunc(all, func(a, b *function.Secret) int { return cmp.Compare(a.Name, b.Name) })
	return all, at("secrets of "+scope.String(), err)
}

// PutSecret writes a secret, or returns function.ErrSecretConflict or function.ErrTooManySecrets.
func (s *Store) PutSecret(ctx context.Context, next, was *function.Secret) error {
	return at("put secret "+next.String(), s.putSecret(ctx, next, was))
}

func (s *Store) putSecret(ctx context.Context, next, was *function.Secret) error {
	if err := next.Check(); err != nil {
		return err
	}
	var read []byte
	if was != nil {
		read = was.Record()
	}
	list := func() error {
		return storeError(ctx, s.client.HSet(ctx, s.keys.secretScopes(), scopeMember(next.SecretScope), "").Err())
	}
	if err := list(); err != nil {
		return err
	}
	found, err := s.run(ctx, putSecretScript, []string{s.keys.secrets(next.SecretScope)}, s.keys.changes(),
		secretsNotice(next.Namespace), next.Name, next.Record(), read, s.limits.MaxSecrets())
	switch found.(type) {
	case string:
		return function.ErrSecretConflict
	case int64:
		return function.ErrTooManySecrets
	}
	if err != nil {
		return err
	}
	return list()
}

// DeleteSecret removes a secret.
func (s *Store) DeleteSecret(ctx context.Context, ref function.SecretRef) error {
	_, err := s.run(ctx, deleteFieldScript, []string{s.keys.secrets(ref.SecretScope)}, s.keys.changes(),
		secretsNotice(ref.Namespace), ref.Name)
	return at("delete secret "+ref.String(), err)
}

// DeleteSecrets removes all secrets of a scope.
func (s *Store) DeleteSecrets(ctx context.Context, scope function.SecretScope) error {
	_, err := s.run(ctx, deleteKeyScript, []string{s.keys.secrets(scope)}, s.keys.changes(),
		secretsNotice(scope.Namespace))
	if err == nil {
		err = storeError(ctx, s.client.HDel(ctx, s.keys.secretScopes(), scopeMember(scope)).Err())
	}
	return at("delete secrets of "+scope.String(), err)
}

// SecretScopes returns the scopes that have secrets, and those whose secrets were deleted one by one.
func (s *Store) SecretScopes(ctx context.Context) ([]function.SecretScope, error) {
	var all []function.SecretScope
	err := s.eachRecord(ctx, s.keys.secretScopes(), "", func(name string, _ []byte) {
		if scope, ok := parseScope(name); ok {
			all = append(all, scope)
		}
	})
	slices.SortFunc(all, function.SecretScope.Compare)
	return all, at("secret scopes", err)
}

// scopeMember names a scope: a function as notices do, a namespace by its escaped name, which has no colon.
func scopeMember(scope function.SecretScope) string {
	if scope.ID == "" {
		return escape(scope.Namespace)
	}
	return member(function.Ref(scope))
}

// parseScope is the inverse of scopeMember.
func parseScope(text string) (function.SecretScope, bool) {
	if strings.Contains(text, ":") {
		ref, ok := parseMember(text)
		return function.SecretScope(ref), ok
	}
	namespace, ok := unescape(text)
	return function.SecretScope{Namespace: namespace}, ok && namespace != ""
}
