package api

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
)

// Store keeps functions and namespaces. It must be safe for concurrent use. Its errors are or wrap those of package
// function; what it returns belongs to the caller.
type Store interface {
	// Name is what /status calls the store.
	Name() string
	Ping(ctx context.Context) error
	Functions
	Namespaces
	NamespaceLimits
	Usage
	Routes
	Keys
	Modules
	// Public returns the list of public functions.
	Public(ctx context.Context) ([]function.Open, error)
	AddPublic(ctx context.Context, f function.Open) error
	RemovePublic(ctx context.Context, ref function.Ref) error
}

// Functions keeps functions.
type Functions interface {
	Get(ctx context.Context, ref function.Ref) (*function.Function, error)
	// Source returns what a function of files was built from, or function.ErrNotFound.
	Source(ctx context.Context, ref function.Ref) (*function.Source, error)
	// Put stores the code of f, or its artefact and source, and, unless it is nil, its environment. It returns what is
	// stored now, or a *function.EnvLimitError when the variables would be too many or too long together.
	Put(ctx context.Context, f *function.Function) (*function.Function, error)
	// Delete succeeds when there is nothing to delete.
	Delete(ctx context.Context, ref function.Ref) error
	// SetEnv returns a *function.EnvLimitError as Put does.
	SetEnv(ctx context.Context, ref function.Ref, name, value string) error
	UnsetEnv(ctx context.Context, ref function.Ref, name string) error
	List(ctx context.Context, q function.Query) (*function.Page, error)
}

// Namespaces keeps the settings of namespaces.
type Namespaces interface {
	// NamespaceNames returns the names of all there are, in the order of function.CompareNamespaces.
	NamespaceNames(ctx context.Context) ([]string, error)
	GetNamespace(ctx context.Context, name string) (*function.Namespace, error)
	// PutNamespace replaces the whole record.
	PutNamespace(ctx context.Context, n *function.Namespace) error
	// DeleteNamespace succeeds when there is nothing to delete.
	DeleteNamespace(ctx context.Context, name string) error
}

// Routes keeps routes.
type Routes interface {
	// Routes returns all of them in the order of their names.
	Routes(ctx context.Context) ([]function.Route, error)
	// Route returns one of them, or function.ErrRouteNotFound.
	Route(ctx context.Context, name string) (function.Route, error)
	// PutRoute returns a *function.RoutePatternError when another one matches the same requests, and
	// function.ErrTooManyRoutes when it is one too many.
	PutRoute(ctx context.Context, r function.Route) error
	// DeleteRoute succeeds when there is nothing to delete.
	DeleteRoute(ctx context.Context, name string) error
}

// Modules keeps the shared modules of namespaces.
type Modules interface {
	// Modules returns those of a namespace in the order of their names, without their files.
	Modules(ctx context.Context, namespace string) ([]function.Module, error)
	// Module returns one with its files, or function.ErrModuleNotFound.
	Module(ctx context.Context, ref function.ModuleRef) (*function.Module, error)
	// PutModule returns function.ErrTooManyModules when it is one too many.
	PutModule(ctx context.Context, m *function.Module) error
	// DeleteModule succeeds when there is nothing to delete.
	DeleteModule(ctx context.Context, ref function.ModuleRef) error
}

// Keys keeps the keys of callers.
type Keys interface {
	// Keys returns all of them in the order of their IDs.
	Keys(ctx context.Context) ([]identity.Key, error)
	// Key returns one of them, or identity.ErrNotFound.
	Key(ctx context.Context, id string) (identity.Key, error)
	// PutKey returns identity.ErrTooMany when it is one too many.
	PutKey(ctx context.Context, k identity.Key) error
	// DeleteKey succeeds when there is nothing to delete.
	DeleteKey(ctx context.Context, id string) error
}
