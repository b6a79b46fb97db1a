package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// NamespaceLimits returns those of all namespaces in the order of their names.
func (s *Store) NamespaceLimits(ctx context.Context) (all []usage.Namespace, err error) {
	err = s.view(ctx, "namespace limits", func(tx *bbolt.Tx) error {
		return tx.Bucket(limitsBucket).ForEach(func(name, text []byte) error {
			n, err := usage.ParseNamespace(string(name), text)
			all = append(all, n)
			return err
		})
	})
	return all, err
}

// LimitsOf returns those of a namespace.
func (s *Store) LimitsOf(ctx context.Context, name string) (n usage.Namespace, err error) {
	n.Name = name
	err = s.view(ctx, "limits of namespace "+name, func(tx *bbolt.Tx) error {
		if text := tx.Bucket(limitsBucket).Get([]byte(name)); text != nil {
			n, err = usage.ParseNamespace(name, text)
		}
		return err
	})
	return n, err
}

// PutNamespaceLimits replaces those of a namespace, or returns usage.ErrTooMany.
func (s *Store) PutNamespaceLimits(ctx context.Context, n usage.Namespace) error {
	return s.update(ctx, "put namespace limits "+n.Name, function.Change{Limits: true}, func(tx *bbolt.Tx) error {
		if err := n.Check(); err != nil {
			return err
		}
		all := tx.Bucket(limitsBucket)
		if all.Get([]byte(n.Name)) == nil && all.Stats().KeyN >= s.Limits.MaxNamespaces() {
			return usage.ErrTooMany
		}
		return all.Put([]byte(n.Name), n.JSON())
	})
}

// DeleteNamespaceLimits removes those of a namespace.
func (s *Store) DeleteNamespaceLimits(ctx context.Context, name string) error {
	return s.update(ctx, "delete namespace limits "+name, function.Change{Limits: true}, func(tx *bbolt.Tx) error {
		return tx.Bucket(limitsBucket).Delete([]byte(name))
	})
}
