// Package api is the HTTP server: it turns requests into calls of a store and of an invoker, and their results into
// answers. docs/http-api.md describes what it serves.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/perclient"
	"github.com/backstage/functions/sandbox"
)

// DefaultBodyLimit is the limit on request bodies, in bytes.
const DefaultBodyLimit = 1 << 20

// DefaultCodeLimit is the limit on the files of a deploy, in bytes.
const DefaultCodeLimit = 8 << 20

// DefaultMaxSteps is the limit on the steps of a pipeline.
const DefaultMaxSteps = 100

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

// Invoker runs functions. It must be safe for concurrent use. Its errors are or wrap *function.NotFoundError,
// function.ErrUnavailable and those of package sandbox; any other is a fault of the server.
type Invoker interface {
	// Check runs the top-level code of f alone, to learn whether it can be stored.
	Check(ctx context.Context, f *function.Function) error
	// Find returns a function whose call is about to be made, for its options.
	Find(ctx context.Context, ref function.Ref) (invoke.Found, error)
	Run(ctx context.Context, call invoke.Call) (*sandbox.Result, error)
	Pipeline(ctx context.Context, steps []function.Ref, call invoke.Call) (*sandbox.Result, error)
}

// Builder makes what workers run of what a deploy brings; *deploy.Deployer is one. It must be safe for concurrent use.
type Builder interface {
	// Build gives f its artefact, and its source the map: f has the source of a function of files, or code, and the
	// options that it will run with. The error of files that cannot be built is a detailed one.
	Build(ctx context.Context, f *function.Function) (deploy.Built, error)
	// CheckModule builds a shared module with those that it imports, to learn whether functions can. Its errors are those
	// of Build.
	CheckModule(ctx context.Context, m *function.Module) (deploy.Built, error)
}

// Options configure the server. Store and Invoker are required.
type Options struct {
	Store   Store
	Invoker Invoker
	// Auth says whether callers have to show a key, and Keyring has the keys; it is required unless Auth is AuthOff.
	Auth    Auth
	Keyring Keyring
	// Tokens verifies tokens of issuers, which callers may show instead of keys. Nil takes none.
	Tokens Tokens
	// Audit records writes and refusals. Nil records none. AuditList has the records; nil has none.
	Audit     Auditor
	AuditList AuditList
	// Refused is told the reason of each refusal, which may be empty. It must be safe for concurrent use. Nil disables it.
	Refused func(reason string)
	// Secrets keeps those of functions and namespaces. Nil takes none.
	Secrets Secrets
	// Public is the list of functions that anybody may run. Nil has none.
	Public PublicList
	// Reach says which callers are answered.
	Reach Reach
	// Disabled tells which namespaces are disabled. Nil has none.
	Disabled Disabled
	// BodyLimit bounds a request body in bytes, counted after decompression. 0 stands for DefaultBodyLimit.
	BodyLimit int64
	// Builder builds functions of files. Nil refuses them.
	Builder Builder
	// CodeLimit bounds the files of a deploy in bytes. 0 stands for DefaultCodeLimit.
	CodeLimit int64
	// BodyDepth bounds how deep a request body may nest. 0 stands for body.DefaultDepth.
	BodyDepth int
	// Grow is asked before more than a few KB of memory are used for the body of r, with how many bytes more; false
	// refuses the request. It must be safe for concurrent use. Nil always says yes.
	Grow func(r *http.Request, bytes int) bool
	// Shrink is told when bytes that Grow has granted are not used any more before r is answered. It must be safe for
	// concurrent use. Nil ignores it.
	Shrink func(r *http.Request, bytes int)
	// SocketLog is told of each WebSocket connection that has ended, with what access logs tell of the request that has
	// opened it. It must be safe for concurrent use. Nil turns it off.
	SocketLog func(about *http.Request, end SocketEnd)
	// Unread is asked of the callers of streams. The zero value asks nobody.
	Unread Unread
	// HiddenEnv are names of variables that functions have and no answer shows.
	HiddenEnv []string
	// MaxSteps bounds the steps of a pipeline. 0 stands for DefaultMaxSteps.
	MaxSteps int
	// Logger receives the failures whose cause the caller is not told. Nil discards them.
	Logger *slog.Logger
	// FunctionLog receives error lines that belong in the log of one function, such as "Code not found". It must be
	// safe for concurrent use. Nil discards them.
	FunctionLog func(ref function.Ref, line string)
	// AccessLog is told of every request once its answer is written. It must be safe for concurrent use. Nil turns it
	// off.
	AccessLog func(r *http.Request, a Answer)
	// Served is told of every request once its answer is written: its route and status, as in Answer, and the time it
	// took. It must be safe for concurrent use. Nil disables it.
	Served func(ctx context.Context, route string, status int, took time.Duration)
	// Updated is told of every attempt to deploy a function that was read, with the status of its answer and the time
	// it took. It must be safe for concurrent use. Nil disables it.
	Updated func(status int, took time.Duration)
	// TraceID is the ID of the trace that a context belongs to, empty for none. It must be safe for concurrent use. Nil
	// stands for none.
	TraceID func(ctx context.Context) string
	// Routed is told of every request that a route serves, before it is served; the route is such as
	// "/namespaces/{namespace}". It must be safe for concurrent use. Nil disables it.
	Routed func(r *http.Request, route string)
	// Runtimes are those that a function may ask for at the moment, the server's first one first. It must be safe for
	// concurrent use. Nil leaves functions no choice.
	Runtimes func() []sandbox.Runtime
	// Bounds are those of the options of functions.
	Bounds function.Bounds
	// Routes finds the functions of requests that no resource serves. Nil finds none.
	Routes RouteTable
	// Sockets holds the WebSocket connections of functions. Nil holds none.
	Sockets *sockets.Hub
	// TrustedProxies are the addresses of proxies that are believed about whom and what they forward. Nil believes nobody.
	TrustedProxies []netip.Prefix
	// Rendering bounds how many large answers are made at the same time. Nil sets no bound.
	Rendering cpulimit.Limiter
	// HTTPStats returns the JSON object that tells of outgoing connections. It must be safe for concurrent use. Nil
	// stands for none open.
	HTTPStats func() []byte
	// Isolation returns what /status/isolation shows, to be marshalled as JSON: what stands between functions and the
	// host. It must be safe for concurrent use. Nil stands for nothing known.
	Isolation func() any
	// Logs is where the output of functions is kept. Nil says that it is not kept.
	Logs Logs
	// MaxFollowers bounds how many requests may follow the output of functions at the same time. 0 stands for
	// DefaultMaxFollowers.
	MaxFollowers int
	// MaxLogReaders bounds how many requests may read the output of functions at the same time. 0 stands for
	// DefaultMaxLogReaders.
	MaxLogReaders int
	// Client names who made a request, and Owner whose share of a server a namespace uses, where those who read output
	// share places. They must be safe for concurrent use. Nil stands for the address of the connection, and for the
	// namespace itself.
	Client func(r *http.Request) string
	Owner  func(namespace string) string
	// Life ends when the server is about to stop: requests that would go on without end end then. Nil stands for no
	// end.
	Life context.Context
	// Livez and Readyz answer the probes of those names. Nil answers that all is well.
	Livez, Readyz http.HandlerFunc
	// Calls queues calls of callers who would rather not wait. Nil has none wait: who prefers it is answered as others.
	Calls Calls
	// CallTimes are of the records of these calls.
	CallTimes CallTimes
	// StoreFault says what is wrong with a store that answers, such as function.ErrFull, or nil. It must be safe for
	// concurrent use. Nil stands for nothing.
	StoreFault func() error
	// Services are checked by /status after the store. Nil stands for one entry that says that Sentry is not set up.
	Services []Service
	// HeaderNames are the names of the headers of r in the order in which they came, as connections.HeaderNames has
	// them: a newline behind each. It must be safe for concurrent use. Nil stands for an order that nobody knows.
	HeaderNames func(r *http.Request) string
	// DepthOf says how many calls of functions wait for what comes over a connection from that address, by those that
	// they have made; 0 for one from outside. It must be safe for concurrent use. Nil says 0 always.
	DepthOf func(remote string) int
}

func (o Options) withDefaults() Options {
	if o.BodyLimit == 0 {
		o.BodyLimit = DefaultBodyLimit
	}
	if o.CodeLimit == 0 {
		o.CodeLimit = DefaultCodeLimit
	}
	if o.Builder == nil {
		o.Builder = noBuilder{}
	}
	if o.Grow == nil {
		o.Grow = func(*http.Request, int) bool { return true }
	}
	if o.Shrink == nil {
		o.Shrink = func(*http.Request, int) {}
	}
	if o.MaxSteps == 0 {
		o.MaxSteps = DefaultMaxSteps
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = clientOf
	}
	if o.Owner == nil {
		o.Owner = func(namespace string) string { return namespace }
	}
	if o.FunctionLog == nil {
		o.FunctionLog = func(function.Ref, string) {}
	}
	if o.AccessLog == nil {
		o.AccessLog = func(*http.Request, Answer) {}
	}
	if o.Served == nil {
		o.Served = func(context.Context, string, int, time.Duration) {}
	}
	if o.Updated == nil {
		o.Updated = func(int, time.Duration) {}
	}
	if o.TraceID == nil {
		o.TraceID = func(context.Context) string { return "" }
	}
	if o.Routed == nil {
		o.Routed = func(*http.Request, string) {}
	}
	if o.Audit == nil {
		o.Audit = noAuditor{}
	}
	if o.Refused == nil {
		o.Refused = func(string) {}
	}
	if o.Secrets == nil {
		o.Secrets = noSecrets{}
	}
	if o.Public == nil {
		o.Public = nonePublic{}
	}
	if o.Disabled == nil {
		o.Disabled = noneDisabled{}
	}
	if o.Routes == nil {
		o.Routes = noRoutes{}
	}
	if o.Runtimes == nil {
		o.Runtimes = func() []sandbox.Runtime { return nil }
	}
	if o.HTTPStats == nil {
		o.HTTPStats = noConnections
	}
	if o.Isolation == nil {
		o.Isolation = func() any { return struct{}{} }
	}
	if o.MaxFollowers == 0 {
		o.MaxFollowers = DefaultMaxFollowers
	}
	if o.MaxLogReaders == 0 {
		o.MaxLogReaders = DefaultMaxLogReaders
	}
	if o.Life == nil {
		o.Life = context.Background()
	}
	if o.Livez == nil {
		o.Livez = allWell
	}
	if o.Readyz == nil {
		o.Readyz = allWell
	}
	if o.HeaderNames == nil {
		o.HeaderNames = func(*http.Request) string { return "" }
	}
	if o.DepthOf == nil {
		o.DepthOf = func(string) int { return 0 }
	}
	if o.StoreFault == nil {
		o.StoreFault = func() error { return nil }
	}
	if o.Services == nil {
		o.Services = []Service{sentryUnset}
	}
	return o
}

// server holds what the handlers share. It does not change after New.
type server struct {
	Options
	followers followers // of output
	readers   followers // of what there is of it
	rendering limiter   // of large answers
	// crossOrigin finds what pages of other sites send.
	crossOrigin *http.CrossOriginProtection
	failures    *perclient.Limiter
	// missingRuntimes are the names of those that were warned of.
	missingRuntimes sync.Map
}

// Handlers are what the ports of a server serve. They are safe for concurrent use.
type Handlers struct {
	// API serves all resources, and what is none of them by the stored routes.
	API http.Handler
	// Run serves probes and the resources that run functions, and what is none of them by the stored routes.
	Run http.Handler

	server *server
}

// Around returns h with a handler of wrap's around each.
func (h Handlers) Around(wrap func(http.Handler) http.Handler) Handlers {
	return Handlers{API: wrap(h.API), Run: wrap(h.Run), server: h.server}
}

// New returns the server's handlers. Requests that net/http refuses before any handler sees them get answers in JSON
// only where JSONError changes what is written.
func New(o Options) Handlers {
	s := newServer(o.withDefaults())
	return Handlers{API: s.router(apiPort), Run: s.router(runPort), server: s}.Around(s.around)
}

func newServer(o Options) *server {
	return &server{
		Options: o, followers: followers{most: o.MaxFollowers}, readers: followers{most: o.MaxLogReaders},
		rendering: limiter(o.Rendering), crossOrigin: newCrossOrigin(o.Reach.Origins),
		failures: perclient.New(failureEvery, failureBurst, maxFailing),
	}
}

// around adds to next what every request needs.
func (s *server) around(next http.Handler) http.Handler {
	inner := s.refuseKeysInURLs(keepEncoding(s.authenticate(s.nested(next))))
	logged := Identify(s.logAccess(s.recoverPanics(limitURL(checkHost(inner)))))
	if s.Auth == AuthOff {
		return logged
	}
	return HideKeys(logged)
}
