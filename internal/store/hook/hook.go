// Package hook tells hooks of each operation of a store. Metrics, traces and caches are hooks.
package hook

import (
	"context"

	"github.com/backstage/functions/internal/function"
)

// Kind is what an operation does to the store.
type Kind int

// The kinds of operations.
const (
	Read   Kind = iota // changes nothing
	Write              // needs room in the store
	Delete             // needs none
)

// Operation is one use of a store.
type Operation struct {
	// Name is the name in metrics and traces, such as "get". There are only a few names.
	Name string
	Kind Kind
	// Change is what the operation makes stale. It is zero for those that make nothing stale.
	Change function.Change
}

// Func is called before an operation. The operation runs in the context that it returns. It returns end, which is
// called once, with the operation's error, before its caller has the result. A Func must be safe for concurrent use.
type Func func(ctx context.Context, op Operation) (_ context.Context, end func(err error))

// Guarded is a store, or one aggregate of it, that can be used only through Do and Value: no operation misses the
// hooks. Use Guard.
type Guarded[S any] struct {
	store S
	hooks []Func
}

// Guard returns a store whose operations call the hooks. The first hook is the outermost: it begins first and ends
// last.
func Guard[S any](store S, hooks ...Func) Guarded[S] { return Guarded[S]{store, hooks} }

// Do runs f, which is operation op. The error is that of f.
func (g Guarded[S]) Do(ctx context.Context, op Operation, f func(ctx context.Context, store S) error) error {
	_, err := Value(ctx, g, op, func(ctx context.Context, store S) (struct{}, error) { return struct{}{}, f(ctx, store) })
	return err
}

// Value is Do for an operation with a result.
func Value[S, T any](
	ctx context.Context, g Guarded[S], op Operation, f func(ctx context.Context, store S) (T, error),
) (T, error) {
	ends := make([]func(error), len(g.hooks))
	for i, begin := range g.hooks {
		ctx, ends[i] = begin(ctx, op)
	}
	result, err := f(ctx, g.store)
	for i := range ends {
		ends[len(ends)-1-i](err)
	}
	return result, err
}

// OnChange is a hook that calls changed with what an operation makes stale. It does so before the caller of the
// operation has the result, and also when the operation failed: it may have been done all the same.
func OnChange(changed func(function.Change)) Func {
	return func(ctx context.Context, op Operation) (context.Context, func(error)) {
		return ctx, func(error) {
			if op.Change != (function.Change{}) {
				changed(op.Change)
			}
		}
	}
}
