package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Functions keeps functions.
type Functions interface {
	// Get returns a copy of a function together with its namespace's settings, or function.ErrNotFound.
	Get(ctx context.Context, ref function.Ref) (*function.Function, error)
	// Revision returns the Revision of the function that Get would return, for less, or function.ErrNotFound.
	Revision(ctx context.Context, ref function.Ref) (string, error)
	// Source returns what the artefact of a function was built from, function.ErrNotFound when there is no such function
	// or it has no artefact, or function.ErrDamagedSource. Its field Artefact tells whether it belongs to what Get
	// returned.
	Source(ctx context.Context, ref function.Ref) (*function.Source, error)
	// Put writes Ref, Code, Artefact, Source and Env of f and returns a copy of what is stored now, without the source;
	// see function.Function.Revise. It returns function.ErrIncomplete when function.Function.Check does.
	Put(ctx context.Context, f *function.Function) (*function.Function, error)
	// Delete removes a function and its lines. A missing one is no error.
	Delete(ctx context.Context, ref function.Ref) error
	// SetEnv sets one variable of a function, or returns function.ErrNotFound or, when all variables together would be
	// beyond the limits of the store, a *function.EnvLimitError.
	SetEnv(ctx context.Context, ref function.Ref, name, value string) error
	// UnsetEnv removes one variable of a function, or returns function.ErrNotFound or function.ErrEnvNotFound.
	UnsetEnv(ctx context.Context, ref function.Ref, name string) error
	// List returns a page of the functions in the order of function.Ref.Compare, or function.ErrInvalidPage. A page
	// beyond the end has no items.
	List(ctx context.Context, q function.Query) (*function.Page, error)
}

// functions are Functions whose operations call hooks.
type functions struct{ guarded hook.Guarded[Functions] }

func (s functions) Get(ctx context.Context, ref function.Ref) (*function.Function, error) {
	return hook.Value(ctx, s.guarded, read("get"), func(ctx context.Context, to Functions) (*function.Function, error) {
		return to.Get(ctx, ref)
	})
}

func (s functions) Source(ctx context.Context, ref function.Ref) (*function.Source, error) {
	return hook.Value(ctx, s.guarded, read("source"), func(ctx context.Context, to Functions) (*function.Source, error) {
		return to.Source(ctx, ref)
	})
}

func (s functions) Revision(ctx context.Context, ref function.Ref) (string, error) {
	// Metrics and traces have had this name from the start.
	return hook.Value(ctx, s.guarded, read("version"), func(ctx context.Context, to Functions) (string, error) {
		return to.Revision(ctx, ref)
	})
}

func (s functions) Put(ctx context.Context, f *function.Function) (*function.Function, error) {
	op := write("put", function.Change{Ref: f.Ref})
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Functions) (*function.Function, error) {
		return to.Put(ctx, f)
	})
}

func (s functions) Delete(ctx context.Context, ref function.Ref) error {
	op := remove("delete", function.Change{Ref: ref})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Functions) error { return to.Delete(ctx, ref) })
}

func (s functions) SetEnv(ctx context.Context, ref function.Ref, name, value string) error {
	op := write("set env", function.Change{Ref: ref})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Functions) error { return to.SetEnv(ctx, ref, name, value) })
}

func (s functions) UnsetEnv(ctx context.Context, ref function.Ref, name string) error {
	op := write("unset env", function.Change{Ref: ref})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Functions) error { return to.UnsetEnv(ctx, ref, name) })
}

func (s functions) List(ctx context.Context, q function.Query) (*function.Page, error) {
	return hook.Value(ctx, s.guarded, read("list"), func(ctx context.Context, to Functions) (*function.Page, error) {
		return to.List(ctx, q)
	})
}
