package mem

import (
	"context"
	"maps"
	"slices"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// NamespaceLimits returns those of all namespaces in the order of their names.
func (s *Store) NamespaceLimits(ctx context.Context) (all []usage.Namespace, err error) {
	err = s.read(ctx, "namespace limits", func() error {
		all = slices.SortedFunc(maps.Values(s.limits), usage.Namespace.Compare)
		return nil
	})
	return all, err
}

// LimitsOf returns those of a namespace.
func (s *Store) LimitsOf(ctx context.Context, name string) (n usage.Namespace, err error) {
	err = s.read(ctx, "limits of namespace "+name, func() error {
		n = s.limits[name]
		return nil
	})
	n.Name = name
	return n, err
}

// PutNamespaceLimits replaces those of a namespace, or returns usage.ErrTooMany.
func (s *Store) PutNamespaceLimits(ctx context.Context, n usage.Namespace) error {
	return s.write(ctx, "put namespace limits "+n.Name, function.Change{Limits: true}, func() error {
		if err := n.Check(); err != nil {
			return err
		}
		if _, there := s.limits[n.Name]; !there && len(s.limits) >= s.Limits.MaxNamespaces() {
			return usage.ErrTooMany
		}
		s.limits[n.Name] = n
		return nil
	})
}

// DeleteNamespaceLimits removes those of a namespace.
func (s *Store) DeleteNamespaceLimits(ctx context.Context, name string) error {
	return s.write(ctx, "delete namespace limits "+name, function.Change{Limits: true}, func() error {
		delete(s.limits, name)
		return nil
	})
}
