package mem

import (
	"context"

	"github.com/backstage/functions/internal/function"
)

// NamespaceNames returns the names of all namespaces that have functions or limits.
func (s *Store) NamespaceNames(ctx context.Context) (names []string, err error) {
	err = s.read(ctx, "namespace names", func() error {
		all := make(map[string]struct{}, len(s.limits))
		for ref := range s.functions {
			all[ref.Namespace] = struct{}{}
		}
		for name := range s.limits {
			all[name] = struct{}{}
		}
		names = function.SortNamespaces(all)
		return nil
	})
	return names, err
}
