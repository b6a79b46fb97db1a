package bolt

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// at is where the buckets of modules have a module: as a function of its namespace and name would be.
func at(ref function.ModuleRef) function.Ref {
	return function.Ref{Namespace: ref.Namespace, ID: ref.Name}
}

// Modules returns the modules of a namespace in the order of their names.
func (s *Store) Modules(ctx context.Context, namespace string) (all []function.Module, err error) {
	err = s.view(ctx, "modules of "+namespace, func(tx *bbolt.Tx) error {
		b := tx.Bucket(modulesBucket).Bucket(namespaceKey(namespace))
		if b == nil {
			return nil
		}
		return b.ForEach(func(name, text []byte) error {
			m, err := function.ParseModule(function.ModuleRef{Namespace: namespace, Name: string(name)}, text, nil, 0)
			if err != nil {
				return err
			}
			all = append(all, *m)
			return nil
		})
	})
	return all, err
}

// Module returns a module with its files, or function.ErrModuleNotFound.
func (s *Store) Module(ctx context.Context, ref function.ModuleRef) (m *function.Module, err error) {
	err = s.read(ctx, "module "+ref.String(), ref.Namespace, func(tx *bbolt.Tx, most int) error {
		records := tx.Bucket(modulesBucket).Bucket(namespaceKey(ref.Namespace))
		packed := tx.Bucket(moduleFilesBucket).Bucket(namespaceKey(ref.Namespace))
		if records == nil || packed == nil || records.Get([]byte(ref.Name)) == nil {
			return function.ErrModuleNotFound
		}
		files := packed.Get([]byte(ref.Name))
		if len(files) > most {
			return errLarge
		}
		if files == nil {
			files = []byte{} // no packed files: they are damaged
		}
		m, err = function.ParseModule(ref, records.Get([]byte(ref.Name)), files, s.Limits.Source())
		return err
	})
	return m, err
}

// PutModule writes a module, or returns function.ErrTooManyModules.
func (s *Store) PutModule(ctx context.Context, m *function.Module) error {
	operation := "put module " + m.String()
	if err := m.Check(); err != nil {
		return fmt.Errorf("embedded store: %s: %w", operation, err)
	}
	return s.writeModule(ctx, operation, m.ModuleRef, func() (func(tx *bbolt.Tx) error, error) {
		packed, err := m.Source.Pack()
		return func(tx *bbolt.Tx) error {
			b := tx.Bucket(modulesBucket).Bucket(namespaceKey(m.Namespace))
			if b != nil && b.Get([]byte(m.Name)) == nil && b.Stats().KeyN >= s.Limits.MaxModules() {
				return function.ErrTooManyModules
			}
			if err := save(tx, modulesBucket, at(m.ModuleRef), m.Record()); err != nil {
				return err
			}
			return save(tx, moduleFilesBucket, at(m.ModuleRef), packed.Files)
		}, err
	})
}

// DeleteModule removes a module.
func (s *Store) DeleteModule(ctx context.Context, ref function.ModuleRef) error {
	return s.writeModule(ctx, "delete module "+ref.String(), ref, func() (func(tx *bbolt.Tx) error, error) {
		return func(tx *bbolt.Tx) error {
			if err := erase(tx, modulesBucket, at(ref)); err != nil {
				return err
			}
			return erase(tx, moduleFilesBucket, at(ref))
		}, nil
	})
}

// writeModule runs what prepare returns as a write, in the turn of the owner. Nobody is told: nothing is stale.
func (s *Store) writeModule(
	ctx context.Context, operation string, ref function.ModuleRef, prepare func() (func(*bbolt.Tx) error, error),
) error {
	release, err := s.lockOwner(ctx, function.Change{Namespace: ref.Namespace})
	if err != nil {
		return fmt.Errorf("embedded store: %s: %w", operation, err)
	}
	defer release()
	var write func(*bbolt.Tx) error
	if err := s.prepare(ctx, func() (err error) { write, err = prepare(); return err }); err != nil {
		return fmt.Errorf("embedded store: %s: %w", operation, err)
	}
	return run(ctx, operation, s.db.Update, write)
}
