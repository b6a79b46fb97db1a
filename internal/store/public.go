package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Public keeps the list of functions that callers may run whose role does not let them, and which ones. That a function
// is one of them is in its own record too; the list is there to be read as a whole.
type Public interface {
	// Public returns the list, in the order of lists of functions.
	Public(ctx context.Context) ([]function.Open, error)
	// AddPublic replaces what is there of that function. It returns function.ErrTooManyPublic when it is one too many.
	AddPublic(ctx context.Context, f function.Open) error
	// RemovePublic succeeds when it is not there.
	RemovePublic(ctx context.Context, ref function.Ref) error
}

// public is Public whose operations call hooks.
type public struct{ guarded hook.Guarded[Public] }

func (s public) Public(ctx context.Context) ([]function.Open, error) {
	return hook.Value(ctx, s.guarded, read("public"), func(ctx context.Context, to Public) ([]function.Open, error) {
		return to.Public(ctx)
	})
}

func (s public) AddPublic(ctx context.Context, f function.Open) error {
	op := write("add public", function.Change{Public: true})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Public) error { return to.AddPublic(ctx, f) })
}

func (s public) RemovePublic(ctx context.Context, ref function.Ref) error {
	op := remove("remove public", function.Change{Public: true})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Public) error { return to.RemovePublic(ctx, ref) })
}
