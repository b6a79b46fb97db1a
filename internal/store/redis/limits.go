package redis

import (
	"context"
	"slices"

	"github.com/backstage/functions/internal/usage"
)

// The limits of all namespaces are in one hash, each record under the namespace's name.

// NamespaceLimits returns those of all namespaces in the order of their names. A record that cannot be read stands for
// a namespace that is disabled, and is logged: what it limits must not run without limits.
func (s *Store) NamespaceLimits(ctx context.Context) ([]usage.Namespace, error) {
	var all []usage.Namespace
	err := s.eachRecord(ctx, s.keys.limits(), "", func(name string, record []byte) {
		all = append(all, s.parseLimits(ctx, name, record))
	})
	slices.SortFunc(all, usage.Namespace.Compare)
	return all, at("namespace limits", err)
}

// parseLimits reads the limits of a namespace.
func (s *Store) parseLimits(ctx context.Context, name string, record []byte) usage.Namespace {
	n, err := usage.ParseNamespace(name, record)
	if err != nil {
		s.log.WarnContext(ctx, "The limits of a namespace in Redis cannot be read, so it is disabled: put them again",
			"namespace", name, "error", err)
		n = usage.Namespace{Name: name, Disabled: true}
	}
	return n
}

// LimitsOf returns those of a namespace, as NamespaceLimits does.
func (s *Store) LimitsOf(ctx context.Context, name string) (usage.Namespace, error) {
	record, err := s.oneRecord(ctx, s.keys.limits(), name)
	if err != nil || record == nil {
		return usage.Namespace{Name: name}, at("limits of namespace "+name, err)
	}
	return s.parseLimits(ctx, name, record), nil
}

// PutNamespaceLimits replaces those of a namespace, or returns usage.ErrTooMany.
func (s *Store) PutNamespaceLimits(ctx context.Context, n usage.Namespace) error {
	return at("put namespace limits "+n.Name, s.putLimits(ctx, n))
}

func (s *Store) putLimits(ctx context.Context, n usage.Namespace) error {
	if err := n.Check(); err != nil {
		return err
	}
	found, err := s.run(ctx, putFieldScript, []string{s.keys.limits()}, s.keys.changes(), limitsNotice,
		n.Name, []byte(n.JSON()), s.limits.MaxNamespaces())
	if _, full := found.(int64); full {
		return usage.ErrTooMany
	}
	return err
}

// DeleteNamespaceLimits removes those of a namespace.
func (s *Store) DeleteNamespaceLimits(ctx context.Context, name string) error {
	_, err := s.run(ctx, deleteFieldScript, []string{s.keys.limits()}, s.keys.changes(), limitsNotice, name)
	return at("delete namespace limits "+name, err)
}
