package mem

import (
	"context"

	"github.com/backstage/functions/internal/function"
)

// GetNamespace returns a copy of a namespace's record, or function.ErrNamespaceNotFound.
func (s *Store) GetNamespace(ctx context.Context, name string) (found *function.Namespace, err error) {
	err = s.read(ctx, "get namespace "+name, func() error {
		n, ok := s.namespaces[name]
		if !ok {
			return function.ErrNamespaceNotFound
		}
		found = n.Clone()
		return nil
	})
	return found, err
}

// PutNamespace replaces a namespace's record.
func (s *Store) PutNamespace(ctx context.Context, n *function.Namespace) error {
	return s.write(ctx, "put namespace "+n.Name, function.Change{Namespace: n.Name}, func() error {
		if err := n.Check(); err != nil {
			return err
		}
		s.namespaces[n.Name] = n.Clone()
		return nil
	})
}

// DeleteNamespace removes a namespace's record and the lines that its functions printed.
func (s *Store) DeleteNamespace(ctx context.Context, name string) error {
	return s.write(ctx, "delete namespace "+name, function.Change{Namespace: name}, func() error {
		delete(s.namespaces, name)
		s.ForgetNamespace(name)
		return nil
	})
}
