package egress

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Limits limit the use of the network by functions.
type Limits struct {
	// PerCall is the most concurrent connections of one call, Total of all calls. Of Total one namespace, or the owner of
	// several, gets at most 7 of 8, less if others have many too, and the last one only if it has none. Defaults 32 and
	// 1024.
	PerCall, Total int
	// Attempts is the most connections that one call may ask for. Default 1000.
	Attempts int
	// Bytes is the most that one connection may carry, both ways together. Default 256 MiB.
	Bytes int64
	// Connect is the longest time for lookup and connecting together. Default 5 s.
	Connect time.Duration
	// Idle is the longest time that a connection may carry nothing. Default 60 s.
	Idle time.Duration
}

// Resolver looks up names; *net.Resolver is one. It must be safe for concurrent use.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Connected is the result that Attempted reports for a successful attempt.
const Connected = "connected"

// Observer observes the proxy. It must be safe for concurrent use and return at once.
type Observer interface {
	// Attempted reports each attempt and the time it took: Connected, one of Reasons, or an error code such as
	// ECONNREFUSED.
	Attempted(namespace, result string, took time.Duration)
	// LookedUp reports each lookup by a function: found, one of Reasons, or an error code such as ENOTFOUND.
	LookedUp(namespace, result string)
	// Transferred reports the bytes that a connection has carried, at its end.
	Transferred(namespace string, sent, received int64)
}

// Tracer creates spans for connections of calls. It must be safe for concurrent use and return at once.
type Tracer interface {
	// Connection begins the span of an attempt to connect to host and port. Outgoing is that of the call's Invocation,
	// whose headers name the parent span. End is called once, when the attempt has failed or its connection is closed:
	// with its result as Attempted reports it, the address that was connected to or refused, if there was one, and the
	// bytes that were carried.
	Connection(outgoing json.RawMessage, host string, port int) (end func(result, address string, sent, received int64))
}

type nopObserver struct{}

func (nopObserver) Attempted(string, string, time.Duration) {}
func (nopObserver) LookedUp(string, string)                 {}
func (nopObserver) Transferred(string, int64, int64)        {}

// Options configure a Proxy.
type Options struct {
	// Policy is for all functions except those of Namespaces, by their name.
	Policy     Policy
	Namespaces map[string]Policy
	// Policies, if set, take precedence over both, and can be replaced while they are in use.
	Policies *Policies
	// OwnerSeparator ends the name of the owner in the name of a namespace: a namespace without a policy of its own has
	// its owner's. Empty: each namespace is its own owner.
	OwnerSeparator string
	Limits         Limits
	// Upstream is the proxy that connections use; nil for none.
	Upstream *Upstream
	// NameServers are the name servers that are queried for records, as host:port; if there are none, those of the system.
	NameServers []string
	// Resolver, Observer and Logger may be nil: then the system's resolver is used, nothing is counted, nothing is logged.
	Resolver Resolver
	Observer Observer
	// Sent is told at the end of a connection how many bytes the call of that ID has sent over it; function is its
	// Filename. It must be safe for concurrent use and return at once. Nil is not told.
	Sent   func(namespace, function, call string, bytes int64)
	Logger *slog.Logger
	// Sockets has the WebSocket connections that functions send to; nil for none.
	Sockets Sockets
	// Tracer may be nil: then no spans are created.
	Tracer Tracer
}

func (o Options) withDefaults() Options {
	if o.Policies == nil {
		o.Policies = NewPolicies(o.Policy, o.Namespaces)
	}
	if o.Resolver == nil {
		o.Resolver = &net.Resolver{PreferGo: true}
	}
	if o.Sent == nil {
		o.Sent = func(string, string, string, int64) {}
	}
	if o.Observer == nil {
		o.Observer = nopObserver{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o *Options) policyOf(namespace string) *Policy {
	owner := namespace
	if o.OwnerSeparator != "" {
		owner, _, _ = strings.Cut(namespace, o.OwnerSeparator)
	}
	return o.Policies.of(namespace, owner)
}
