package mem

import (
	"cmp"
	"context"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// Modules returns the modules of a namespace in the order of their names.
func (s *Store) Modules(ctx context.Context, namespace string) (all []function.Module, err error) {
	err = s.read(ctx, "modules of "+namespace, func() error {
		for ref, m := range s.modules {
			if ref.Namespace == namespace {
				all = append(all, m.Listed())
			}
		}
		slices.SortFunc(all, func(a, b function.Module) int { return cmp.Compare(a.Name, b.Name) })
		return nil
	})
	return all, err
}

// Module returns a module with its files, or function.ErrModuleNotFound.
func (s *Store) Module(ctx context.Context, ref function.ModuleRef) (m *function.Module, err error) {
	err = s.read(ctx, "module "+ref.String(), func() error {
		stored, ok := s.modules[ref]
		if !ok {
			return function.ErrModuleNotFound
		}
		m = stored.Clone()
		return nil
	})
	return m, err
}

// PutModule writes a module, or returns function.ErrTooManyModules.
func (s *Store) PutModule(ctx context.Context, m *function.Module) error {
	return s.change(ctx, "put module "+m.String(), func() error {
		if err := m.Check(); err != nil {
			return err
		}
		if _, replaces := s.modules[m.ModuleRef]; !replaces {
			count := 0
			for ref := range s.modules {
				if ref.Namespace == m.Namespace {
					count++
				}
			}
			if count >= s.Limits.MaxModules() {
				return function.ErrTooManyModules
			}
		}
		s.modules[m.ModuleRef] = m.Clone()
		return nil
	})
}

// DeleteModule removes a module.
func (s *Store) DeleteModule(ctx context.Context, ref function.ModuleRef) error {
	return s.change(ctx, "delete module "+ref.String(), func() error {
		delete(s.modules, ref)
		return nil
	})
}
