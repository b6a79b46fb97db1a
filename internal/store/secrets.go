package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Secrets keeps the secrets of functions and of namespaces, whose values it gets encrypted.
type Secrets interface {
	// Secrets returns those of a scope in the order of their names. Some may not be function.Secret.Whole.
	Secrets(ctx context.Context, scope function.SecretScope) ([]*function.Secret, error)
	// PutSecret writes a secret if was, nil for none, is still what is stored under its name; else it returns
	// function.ErrSecretConflict. It returns function.ErrTooManySecrets when it is one too many, and
	// function.ErrIncomplete when function.Secret.Check does.
	PutSecret(ctx context.Context, s, was *function.Secret) error
	// DeleteSecret removes a secret. A missing one is no error.
	DeleteSecret(ctx context.Context, ref function.SecretRef) error
	// DeleteSecrets removes all secrets of a scope.
	DeleteSecrets(ctx context.Context, scope function.SecretScope) error
	// SecretScopes returns all scopes that have secrets, and perhaps some that had, in the order of
	// function.SecretScope.Compare.
	SecretScopes(ctx context.Context) ([]function.SecretScope, error)
}

// secrets are Secrets whose operations call hooks.
type secrets struct{ guarded hook.Guarded[Secrets] }

func (s secrets) Secrets(ctx context.Context, scope function.SecretScope) ([]*function.Secret, error) {
	op := read("secrets")
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Secrets) ([]*function.Secret, error) {
		return to.Secrets(ctx, scope)
	})
}

func (s secrets) PutSecret(ctx context.Context, next, was *function.Secret) error {
	op := write("put secret", function.Change{Secrets: next.Namespace})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Secrets) error { return to.PutSecret(ctx, next, was) })
}

func (s secrets) DeleteSecret(ctx context.Context, ref function.SecretRef) error {
	op := remove("delete secret", function.Change{Secrets: ref.Namespace})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Secrets) error { return to.DeleteSecret(ctx, ref) })
}

func (s secrets) DeleteSecrets(ctx context.Context, scope function.SecretScope) error {
	op := remove("delete secrets", function.Change{Secrets: scope.Namespace})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Secrets) error { return to.DeleteSecrets(ctx, scope) })
}

func (s secrets) SecretScopes(ctx context.Context) ([]function.SecretScope, error) {
	op := read("secret scopes")
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Secrets) ([]function.SecretScope, error) {
		return to.SecretScopes(ctx)
	})
}
