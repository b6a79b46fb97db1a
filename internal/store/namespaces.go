package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Namespaces keeps the settings of namespaces.
type Namespaces interface {
	// GetNamespace returns a copy of a namespace's record, or function.ErrNamespaceNotFound.
	GetNamespace(ctx context.Context, name string) (*function.Namespace, error)
	// NamespaceNames returns the names of all namespaces that have functions or limits, in the order of
	// function.CompareNamespaces.
	NamespaceNames(ctx context.Context) ([]string, error)
	// PutNamespace replaces a namespace's record.
	PutNamespace(ctx context.Context, n *function.Namespace) error
	// DeleteNamespace removes a namespace's record and the lines of its functions, not the functions. A missing one is
	// no error.
	DeleteNamespace(ctx context.Context, name string) error
}

// namespaces are Namespaces whose operations call hooks.
type namespaces struct{ guarded hook.Guarded[Namespaces] }

func (s namespaces) GetNamespace(ctx context.Context, name string) (*function.Namespace, error) {
	op := read("get namespace")
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Namespaces) (*function.Namespace, error) {
		return to.GetNamespace(ctx, name)
	})
}

func (s namespaces) NamespaceNames(ctx context.Context) ([]string, error) {
	op := read("namespace names")
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Namespaces) ([]string, error) {
		return to.NamespaceNames(ctx)
	})
}

func (s namespaces) PutNamespace(ctx context.Context, n *function.Namespace) error {
	op := write("put namespace", function.Change{Namespace: n.Name})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Namespaces) error { return to.PutNamespace(ctx, n) })
}

func (s namespaces) DeleteNamespace(ctx context.Context, name string) error {
	op := remove("delete namespace", function.Change{Namespace: name})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Namespaces) error { return to.DeleteNamespace(ctx, name) })
}
