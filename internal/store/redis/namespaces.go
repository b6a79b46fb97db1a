package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// GetNamespace returns a namespace's record, or function.ErrNamespaceNotFound.
func (s *Store) GetNamespace(ctx context.Context, name string) (*function.Namespace, error) {
	n, err := s.settings(ctx, name)
	if err == nil && n == nil {
		err = function.ErrNamespaceNotFound
	}
	return n, at("get namespace "+name, err)
}

// PutNamespace replaces a namespace's record.
func (s *Store) PutNamespace(ctx context.Context, n *function.Namespace) error {
	err := n.Check()
	if err == nil {
		fields := []any{"namespace", n.Name}
		if n.SentryDSN != nil {
			fields = append(fields, "sentryDSN", *n.SentryDSN)
		}
		if n.MaxConcurrency != nil {
			fields = append(fields, "maxConcurrency", *n.MaxConcurrency)
		}
		err = s.putNamespace(ctx, n.Name, fields...)
	}
	return at("put namespace "+n.Name, err)
}

// DeleteNamespace removes a namespace's record and the lines that its functions printed.
func (s *Store) DeleteNamespace(ctx context.Context, name string) error {
	err := s.putNamespace(ctx, name)
	if err == nil {
		err = s.forgetNamespace(ctx, name)
	}
	return at("delete namespace "+name, err)
}

// putNamespace makes fields the whole of a namespace's record.
func (s *Store) putNamespace(ctx context.Context, name string, fields ...any) error {
	args := append([]any{s.keys.changes(), namespaceNotice(name)}, fields...)
	_, err := s.run(ctx, namespaceScript, []string{s.keys.namespace(name)}, args...)
	if old := s.keys.oldNamespace(name); err == nil && old != s.keys.namespace(name) {
		_, err = s.run(ctx, dropNamespaceScript, []string{old}, name)
	}
	return err
}

// settings returns the record of a namespace, nil when there is none.
func (s *Store) settings(ctx context.Context, name string) (*function.Namespace, error) {
	var record func() *function.Namespace
	err := read(ctx, s.client, func(p redis.Pipeliner) { record = s.readSettings(ctx, p, name) })
	if err != nil {
		return nil, err
	}
	return record(), nil
}

// readSettings queues the reading of a namespace's record. One that cannot be used, or is too long, counts as absent.
func (s *Store) readSettings(ctx context.Context, p redis.Pipeliner, name string) func() *function.Namespace {
	key, old := s.keys.namespace(name), s.keys.oldNamespace(name)
	record := readHash(ctx, p, key, maxSettings, namespaceFields)
	if key == old {
		return func() *function.Namespace {
			values, _ := hash(record)
			return decodeNamespace(name, values)
		}
	}
	earlier := readHash(ctx, p, old, maxSettings, namespaceFields)
	return func() *function.Namespace {
		for _, c := range []*redis.Cmd{record, earlier} {
			if values, _ := hash(c); field(values, 0) == name { // each of the keys may be another's
				return decodeNamespace(name, values)
			}
		}
		return nil
	}
}
