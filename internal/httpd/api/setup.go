package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

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
	// Sending has begun called once a long answer to r takes its part of the memory for those that are sent, which is not
	// to be counted before any more. It must be safe for concurrent use. Nil never calls it.
	Sending func(r *http.Request, begun func())
	// SocketLog is told of each WebSocket connection that has ended, with what access logs tell of the request that has
	// opened it. It must be safe for concurrent use. Nil turns it off.
	SocketLog func(about *http.Request, end SocketEnd)
	// Unread is asked of the callers of streams. The zero value asks nobody.
	Unread Unread
	// HiddenEnv are names of variables that functions have and no answer shows.
	HiddenEnv []string
	// MaxSteps bounds the steps of a pipeline. 0 stands for DefaultMaxSteps.
	MaxSteps int
	// BatchInputs bounds the inputs of a batch. 0 stands for DefaultBatchInputs.
	BatchInputs int
	// Spare says whether a batch of which so many inputs run may run another one without delaying any other call. It must
	// be safe for concurrent use. Nil lets a few run.
	Spare func(running int) bool
	// Paced is told of a request before its body is read as it is served. Nil ignores it.
	Paced func(r *http.Request)
	// Logger receives the failures whose cause the caller is not told. Nil discards them.
	Logger *slog.Logger
	// FunctionLog receives error lines that belong in the log of one function, such as "Code not found". It must be
	// safe for concurrent use. Nil discards them.
	FunctionLog func(ref function.Ref, line string)
	// DeployLog receives lines for the author of a function that was just stored, and the ID of the request that has
	// stored it. They belong in the output that is kept of the function too. It must be safe for concurrent use. Nil
	// discards them.
	DeployLog func(ref function.Ref, requestID, line string)
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
	// Defaults hold for functions without options of their own. Deploys whose options have no effect with them are told.
	Defaults function.Defaults
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
	// Kept has the records of calls whose callers have waited. Nil has none.
	Kept Kept
	// CallTimes are of the records of these calls.
	CallTimes CallTimes
	// CallbackTo says whether callers may have ends of calls told at "host:port". Nil lets them nowhere.
	CallbackTo func(address string) bool
	// StoreFault says what is wrong with a store that answers, such as function.ErrFull, or nil. It must be safe for
	// concurrent use. Nil stands for nothing.
	StoreFault func() error
	// Services are checked by /status after the store. Nil stands for one entry that says that Sentry is not set up.
	Services []Service
	// HeaderNames are the names of the headers of r in the order in which they came, as connections.HeaderNames has
	// them: a newline behind each. It must be safe for concurrent use. Nil stands for an order that nobody knows.
	HeaderNames func(r *http.Request) string
	// NestingOf says which calls of functions wait for what comes over a connection from that address, by those that they
	// have made. It must be safe for concurrent use. Nil says none always.
	NestingOf func(remote string) invoke.Nesting
}
