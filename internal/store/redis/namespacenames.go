package redis

import (
	"context"

	"github.com/backstage/functions/internal/function"
)

// namesAtOnce is how many functions are read at once to learn the names of their namespaces.
const namesAtOnce = 10_000

// NamespaceNames returns the names of all namespaces that have functions or limits. Nothing lists the keys of settings.
func (s *Store) NamespaceNames(ctx context.Context) ([]string, error) {
	all := map[string]struct{}{}
	err := s.namesOfFunctions(ctx, all)
	if err == nil {
		err = s.namesOfLimits(ctx, all)
	}
	if err != nil {
		return nil, at("namespace names", err)
	}
	return function.SortNamespaces(all), nil
}

func (s *Store) namesOfFunctions(ctx context.Context, all map[string]struct{}) error {
	for q := (function.Query{Page: 1, PerPage: namesAtOnce}); ; q.Page++ {
		page, err := s.list(ctx, q)
		if err != nil {
			return err
		}
		for _, ref := range page.Items {
			all[ref.Namespace] = struct{}{}
		}
		if q.Page*q.PerPage >= page.Total {
			return nil
		}
	}
}

func (s *Store) namesOfLimits(ctx context.Context, all map[string]struct{}) error {
	names, err := s.client.HKeys(ctx, s.keys.limits()).Result()
	for _, name := range names {
		all[name] = struct{}{}
	}
	return storeError(ctx, err)
}
