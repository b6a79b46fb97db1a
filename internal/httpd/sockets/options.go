package sockets

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// Invoker runs functions; *invoke.Invoker is one. It must be safe for concurrent use.
type Invoker interface {
	Find(ctx context.Context, ref function.Ref) (invoke.Found, error)
	Run(ctx context.Context, call invoke.Call) (*sandbox.Result, error)
}

// Exchange passes messages between servers on the same data. It must be safe for concurrent use.
type Exchange interface {
	// Publish passes message to those who listen to that name; heard says whether anybody does.
	Publish(ctx context.Context, to string, message []byte) (heard bool, err error)
	// Subscribe calls receive with each message to one of names, one at a time, until ctx ends.
	Subscribe(ctx context.Context, names []string, receive func(message []byte))
}

// Lease is the connection of a socket, as the port sees it that it came through. It must be safe for concurrent use.
type Lease interface {
	// Grow asks for so many bytes of memory for what the caller sends, and Shrink gives them back.
	Grow(bytes int) bool
	Shrink(bytes int)
	// Linger has the connection, when it is closed, wait for its caller to hang up for a moment: else it is reset, and a
	// caller that still sends does not see why.
	Linger()
	// Cut ends the connection at once. It does not block.
	Cut()
}

// noLease is the Lease of a socket that has no connection yet.
type noLease struct{}

func (noLease) Grow(int) bool { return true }
func (noLease) Shrink(int)    {}
func (noLease) Linger()       {}
func (noLease) Cut()          {}

// Options configure a Hub. Invoker and Lease are required.
type Options struct {
	// Most is how many sockets there may be.
	Most int
	// Message is the longest message, either way, in bytes.
	Message int
	// Memory bounds the messages that wait to be taken by callers, in bytes.
	Memory int64
	// Idle is how long a socket may carry no message, Ping how often its caller must show that it is there, Slow how long
	// one message may take to come, or to be taken. All are above zero.
	Idle, Ping, Slow time.Duration

	Invoker Invoker
	// Lease returns that of the connection of r, which is a socket from now on.
	Lease func(r *http.Request) Lease
	// Owner is whose share of the sockets those of a namespace use. Nil makes each namespace its own owner.
	Owner func(namespace string) string
	// Exchange reaches the other servers. Nil stands for none.
	Exchange Exchange
	// Logger is told of what goes wrong. Nil discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Owner == nil {
		o.Owner = func(namespace string) string { return namespace }
	}
	if o.Exchange == nil {
		o.Exchange = alone{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// alone is the Exchange of a server that has no others beside it.
type alone struct{}

func (alone) Publish(context.Context, string, []byte) (bool, error)     { return false, nil }
func (alone) Subscribe(ctx context.Context, _ []string, _ func([]byte)) { <-ctx.Done() }
