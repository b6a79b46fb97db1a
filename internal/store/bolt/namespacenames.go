package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// NamespaceNames returns the names of all namespaces that have functions or limits.
func (s *Store) NamespaceNames(ctx context.Context) (names []string, err error) {
	all := map[string]struct{}{}
	err = s.view(ctx, "namespace names", func(tx *bbolt.Tx) error {
		functions := tx.Bucket(functionsBucket)
		err := functions.ForEachBucket(func(ns []byte) error {
			if id, _ := functions.Bucket(ns).Cursor().First(); id != nil { // the last one may have been deleted
				all[refOf(ns, id).Namespace] = struct{}{}
			}
			return nil
		})
		c := tx.Bucket(limitsBucket).Cursor()
		for name, _ := c.First(); name != nil; name, _ = c.Next() {
			all[string(name)] = struct{}{}
		}
		return err
	})
	return function.SortNamespaces(all), err
}
