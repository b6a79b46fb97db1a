package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
	"github.com/backstage/functions/internal/usage"
)

// NamespaceLimits keeps what operators have set for namespaces. It is apart from their settings, which who owns a
// namespace replaces as a whole.
type NamespaceLimits interface {
	// NamespaceLimits returns all of them in the order of their names.
	NamespaceLimits(ctx context.Context) ([]usage.Namespace, error)
	// LimitsOf returns those of a namespace, which are empty where there are none.
	LimitsOf(ctx context.Context, name string) (usage.Namespace, error)
	// PutNamespaceLimits writes those of a namespace or replaces them. It returns usage.ErrTooMany when that is one too
	// many.
	PutNamespaceLimits(ctx context.Context, n usage.Namespace) error
	// DeleteNamespaceLimits removes those of a namespace. Missing ones are no error.
	DeleteNamespaceLimits(ctx context.Context, name string) error
}

// namespaceLimits are NamespaceLimits whose operations call hooks.
type namespaceLimits struct {
	guarded hook.Guarded[NamespaceLimits]
}

func (s namespaceLimits) NamespaceLimits(ctx context.Context) ([]usage.Namespace, error) {
	all := func(ctx context.Context, to NamespaceLimits) ([]usage.Namespace, error) {
		return to.NamespaceLimits(ctx)
	}
	return hook.Value(ctx, s.guarded, read("namespace limits"), all)
}

func (s namespaceLimits) LimitsOf(ctx context.Context, name string) (usage.Namespace, error) {
	one := func(ctx context.Context, to NamespaceLimits) (usage.Namespace, error) { return to.LimitsOf(ctx, name) }
	return hook.Value(ctx, s.guarded, read("limits of a namespace"), one)
}

func (s namespaceLimits) PutNamespaceLimits(ctx context.Context, n usage.Namespace) error {
	op := write("put namespace limits", function.Change{Limits: true})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to NamespaceLimits) error {
		return to.PutNamespaceLimits(ctx, n)
	})
}

func (s namespaceLimits) DeleteNamespaceLimits(ctx context.Context, name string) error {
	op := remove("delete namespace limits", function.Change{Limits: true})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to NamespaceLimits) error {
		return to.DeleteNamespaceLimits(ctx, name)
	})
}
