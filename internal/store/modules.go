package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Modules keeps the shared modules of namespaces. Nothing that runs reads them: they make nothing stale.
type Modules interface {
	// Modules returns those of a namespace in the order of their names, as lists have them.
	Modules(ctx context.Context, namespace string) ([]function.Module, error)
	// Module returns a module with its files, function.ErrModuleNotFound or function.ErrDamagedSource.
	Module(ctx context.Context, ref function.ModuleRef) (*function.Module, error)
	// PutModule writes a module or replaces the one of its name. It returns function.ErrTooManyModules when it is one too
	// many.
	PutModule(ctx context.Context, m *function.Module) error
	// DeleteModule removes a module. A missing one is no error.
	DeleteModule(ctx context.Context, ref function.ModuleRef) error
}

// modules are Modules whose operations call hooks.
type modules struct{ guarded hook.Guarded[Modules] }

func (s modules) Modules(ctx context.Context, namespace string) ([]function.Module, error) {
	return hook.Value(ctx, s.guarded, read("modules"), func(ctx context.Context, to Modules) ([]function.Module, error) {
		return to.Modules(ctx, namespace)
	})
}

func (s modules) Module(ctx context.Context, ref function.ModuleRef) (*function.Module, error) {
	return hook.Value(ctx, s.guarded, read("module"), func(ctx context.Context, to Modules) (*function.Module, error) {
		return to.Module(ctx, ref)
	})
}

func (s modules) PutModule(ctx context.Context, m *function.Module) error {
	op := write("put module", function.Change{})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Modules) error { return to.PutModule(ctx, m) })
}

func (s modules) DeleteModule(ctx context.Context, ref function.ModuleRef) error {
	op := remove("delete module", function.Change{})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Modules) error { return to.DeleteModule(ctx, ref) })
}
