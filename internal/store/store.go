// Package store says what a store is: an interface for each aggregate that is kept, with what it promises. The stores
// are in the folders below; storetest has the tests of every promise.
//
// To add an aggregate, such as keys:
//
//   - its interface and its guarded form in a file of its own here, and in Store and observed;
//   - a file of its own in each of bolt, mem and redis;
//   - a table of tests in storetest, which Run runs;
//   - at each user, an interface with the methods that it uses.
//
// Methods of functions are plain verbs. Methods of the other aggregates name what they are about, as PutNamespace does.
package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
)

// Store is all that a server keeps. Its methods are safe for concurrent use. Every error of a store that cannot be
// reached wraps function.ErrUnavailable; a context that has ended is reported as its cause.
type Store interface {
	Lifecycle
	Pinger
	Functions
	Namespaces
	Routes
	Modules
	NamespaceLimits
	Usage
	Metering
	Keys
	Public
	Audit
	Calls
	Kept
	Secrets
	Logs
	Messages
}

// Lifecycle is what a store does apart from the operations of a request.
type Lifecycle interface {
	// Name is the store's name in /status.
	Name() string
	// Watch calls notify for every write from now on, one call at a time, until ctx ends. It returns after the last call.
	Watch(ctx context.Context, notify func(function.Change))
	// Close releases what the store holds. Every later call returns an error; a second Close returns nil.
	Close() error
}

// Pinger tells whether a store is there.
type Pinger interface {
	// Ping returns nil when the store can be used now.
	Ping(ctx context.Context) error
}
