package bolt

import (
	"context"
	"encoding/json"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// GetNamespace returns a namespace's record, or function.ErrNamespaceNotFound.
func (s *Store) GetNamespace(ctx context.Context, name string) (found *function.Namespace, err error) {
	err = s.view(ctx, "get namespace "+name, func(tx *bbolt.Tx) error {
		found, err = settings(tx, name)
		if err == nil && found == nil {
			return function.ErrNamespaceNotFound
		}
		return err
	})
	return found, err
}

// PutNamespace replaces a namespace's record.
func (s *Store) PutNamespace(ctx context.Context, n *function.Namespace) error {
	return s.update(ctx, "put namespace "+n.Name, function.Change{Namespace: n.Name}, func(tx *bbolt.Tx) error {
		if err := n.Check(); err != nil {
			return err
		}
		text, err := json.Marshal(namespaceRecord{SentryDSN: n.SentryDSN, AtATime: n.MaxConcurrency})
		if err != nil {
			return err
		}
		return tx.Bucket(namespacesBucket).Put([]byte(n.Name), text)
	})
}

// DeleteNamespace removes a namespace's record and the lines that its functions printed.
func (s *Store) DeleteNamespace(ctx context.Context, name string) error {
	err := s.update(ctx, "delete namespace "+name, function.Change{Namespace: name}, func(tx *bbolt.Tx) error {
		return tx.Bucket(namespacesBucket).Delete([]byte(name))
	})
	if err == nil {
		s.ForgetNamespace(name)
	}
	return err
}

// settings returns the record of a namespace, nil when there is none.
func settings(tx *bbolt.Tx, name string) (*function.Namespace, error) {
	text := tx.Bucket(namespacesBucket).Get([]byte(name))
	if text == nil {
		return nil, nil
	}
	return decodeNamespace(name, text)
}
