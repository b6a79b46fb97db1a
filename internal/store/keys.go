package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/store/hook"
)

// Keys keeps the keys of callers.
type Keys interface {
	// Keys returns all of them in the order of their IDs.
	Keys(ctx context.Context) ([]identity.Key, error)
	// Key returns one of them, or identity.ErrNotFound.
	Key(ctx context.Context, id string) (identity.Key, error)
	// PutKey writes a key or replaces the one of its ID. It returns identity.ErrTooMany when it is one too many.
	PutKey(ctx context.Context, k identity.Key) error
	// DeleteKey removes a key. A missing one is no error.
	DeleteKey(ctx context.Context, id string) error
}

// keys are Keys whose operations call hooks.
type keys struct{ guarded hook.Guarded[Keys] }

func (s keys) Keys(ctx context.Context) ([]identity.Key, error) {
	return hook.Value(ctx, s.guarded, read("keys"), func(ctx context.Context, to Keys) ([]identity.Key, error) {
		return to.Keys(ctx)
	})
}

func (s keys) Key(ctx context.Context, id string) (identity.Key, error) {
	return hook.Value(ctx, s.guarded, read("key"), func(ctx context.Context, to Keys) (identity.Key, error) {
		return to.Key(ctx, id)
	})
}

func (s keys) PutKey(ctx context.Context, k identity.Key) error {
	op := write("put key", function.Change{Keys: true})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Keys) error { return to.PutKey(ctx, k) })
}

func (s keys) DeleteKey(ctx context.Context, id string) error {
	op := remove("delete key", function.Change{Keys: true})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Keys) error { return to.DeleteKey(ctx, id) })
}
