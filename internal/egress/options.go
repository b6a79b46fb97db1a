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

// Limits bound what functions may use of the network.
type Limits struct {
	// PerCall is how many connections one call may have at a time, Total how many all may. Of Total one namespace, or the owner of several, gets
	// 7 of 8 at most, less when others hold many too, and the last one only if it has none. Defaults 32 and 1024.
	PerCall, Total int
	// Attempts is how many connections one call may ask for. Default 1000.
	Attempts int
	// Bytes is how much one connection may carry, both ways together. Default 256 MiB.
	Bytes int64
	// Connect is the time for name and connection together. Default 5 s.
	Connect time.Duration
	// Idle is how long a connection may carry nothing. Default 60 s.
	Idle time.Duration
}

// Resolver looks names up; *net.Resolver is one. It must be safe for concurrent use.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Connected is the result of an attempt that Attempted reports when it succeeded.
const Connected = "connected"

// Observer is told what the proxy does. It must be safe for concurrent use and return at once.
type Observer interface {
	// Attempted reports each attempt and the time it took: Connected, one of Reasons, or an error code such as ECONNREFUSED.
	Attempted(namespace, result string, took time.Duration)
	// LookedUp reports each lookup of a name by itself: found, one of Reasons, or an error code such as ENOTFOUND.
	LookedUp(namespace, result string)
	// Transferred reports the bytes that a connection has carried, at its end.
	Transferred(namespace string, sent, received int64)
}

// Tracer makes spans of what calls do outside. It must be safe for concurrent use and return at once.
type Tracer interface {
	// Connection begins the span of an attempt to reach host and port. Outgoing is that of the call's Invocation, whose headers name the span
	// above. End is called once, when the attempt has failed or its connection is closed: with its result as Attempted reports it, the
	// address that was connected to or refused, if there was one, and the bytes that were carried.
	Connection(outgoing json.RawMessage, host string, port int) (end func(result, address string, sent, received int64))
}

type nopObserver struct{}

func (nopObserver) Attempted(string, string, time.Duration) {}
func (nopObserver) LookedUp(string, string)                 {}
func (nopObserver) Transferred(string, int64, int64)        {}

// Options configure a Proxy.
type Options struct {
	// Policy is for all functions but those of Namespaces, by their name.
	Policy     Policy
	Namespaces map[string]Policy
	// Policies, where there are some, take precedence over both, and can be replaced while they are in use.
	Policies *Policies
	// OwnerSeparator ends the name of the owner in that of a namespace: one without a policy of its own has its owner's. Empty:
	// each is for itself.
	OwnerSeparator string
	Limits         Limits
	// Upstream is the proxy through which connections lead; nil for none.
	Upstream *Upstream
	// NameServers are the name servers that are asked for records, as host:port; without any those of the system.
	NameServers []string
	// Resolver, Observer and Logger may be nil: the system's resolver is used then, nothing is counted, nothing is logged.
	Resolver Resolver
	Observer Observer
	Logger   *slog.Logger
	// Tracer may be nil: no spans are made then.
	Tracer Tracer
}

func (o Options) withDefaults() Options {
	if o.Policies == nil {
		o.Policies = NewPolicies(o.Policy, o.Namespaces)
	}
	if o.Resolver == nil {
		o.Resolver = &net.Resolver{PreferGo: true}
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
