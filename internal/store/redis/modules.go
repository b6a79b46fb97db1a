package redis

import (
	"cmp"
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// The modules of a namespace are in one hash: the field "module:NAME" has a record, the field "files:NAME" the packed
// files.
const (
	modulePrefix      = "module:"
	moduleFilesPrefix = "files:"
)

// maxModuleRecord bounds the record of a module, in bytes.
const maxModuleRecord = 16 << 10

// Modules returns the modules of a namespace in the order of their names. A record that cannot be read is left out, and
// logged.
func (s *Store) Modules(ctx context.Context, namespace string) ([]function.Module, error) {
	var all []function.Module
	err := s.eachRecord(ctx, s.keys.modules(namespace), modulePrefix, func(name string, record []byte) {
		ref := function.ModuleRef{Namespace: namespace, Name: name}
		m, err := function.ParseModule(ref, record, nil, 0)
		if err != nil {
			s.log.WarnContext(ctx, "A shared module in Redis cannot be read: put it again, or delete it",
				"module", ref.String(), "error", err)
			return
		}
		all = append(all, *m)
	})
	slices.SortFunc(all, func(a, b function.Module) int { return cmp.Compare(a.Name, b.Name) })
	return all, at("modules of "+namespace, err)
}

// Module returns a module with its files, or function.ErrModuleNotFound.
func (s *Store) Module(ctx context.Context, ref function.ModuleRef) (*function.Module, error) {
	m, err := s.module(ctx, ref)
	return m, at("module "+ref.String(), err)
}

func (s *Store) module(ctx context.Context, ref function.ModuleRef) (*function.Module, error) {
	var stored *redis.Cmd
	if err := read(ctx, s.client, func(p redis.Pipeliner) {
		fields := []string{modulePrefix + ref.Name, moduleFilesPrefix + ref.Name}
		stored = readHash(ctx, p, s.keys.modules(ref.Namespace), maxModuleRecord+s.packedSource(), fields)
	}); err != nil {
		return nil, err
	}
	values, fit := hash(stored)
	switch {
	case !fit:
		return nil, function.ErrDamagedSource
	case field(values, 0) == "":
		return nil, function.ErrModuleNotFound
	}
	return function.ParseModule(ref, []byte(field(values, 0)), []byte(field(values, 1)), s.limits.Source())
}

// PutModule writes a module, or returns function.ErrTooManyModules.
func (s *Store) PutModule(ctx context.Context, m *function.Module) error {
	return at("put module "+m.String(), s.putModule(ctx, m))
}

func (s *Store) putModule(ctx context.Context, m *function.Module) error {
	if err := m.Check(); err != nil {
		return err
	}
	packed, err := m.Source.Pack()
	if err != nil {
		return err
	}
	found, err := s.run(ctx, putModuleScript, []string{s.keys.modules(m.Namespace)},
		m.Name, m.Record(), packed.Files, s.limits.MaxModules())
	if _, full := found.(int64); full {
		return function.ErrTooManyModules
	}
	return err
}

// DeleteModule removes a module.
func (s *Store) DeleteModule(ctx context.Context, ref function.ModuleRef) error {
	err := storeError(ctx, s.client.HDel(ctx, s.keys.modules(ref.Namespace),
		modulePrefix+ref.Name, moduleFilesPrefix+ref.Name).Err())
	return at("delete module "+ref.String(), err)
}
