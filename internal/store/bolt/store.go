// Package bolt keeps functions in one file on the local disk. Every write is on the disk when it returns.
//
// The file is a bbolt database of a few buckets. "functions" holds one bucket per namespace, named by the namespace and
// a colon, so that bbolt's own order is the order of lists; in it each function is a JSON document under its ID.
// What functions of files were built from is in "sources", in buckets and under keys of the same names. "namespaces"
// holds each namespace's record, a JSON document, under its name. "routes" holds each route's record, a JSON document,
// under its name, and "patterns" the name of each route under its pattern. "keys" holds each key's record, a JSON
// document, under its ID, and "public" the access of each public function, under its name. "modules" holds each shared
// module's record, in buckets of namespaces as functions are, and "module files" its packed files under the same names.
// "audit" holds the records of writes and refusals, JSON documents, under numbers of eight bytes, and "limits" the
// limits of each namespace, a JSON document, under its name. "secrets" holds each secret's record, with its value
// encrypted, under its names. "usage" holds a bucket for each day, such as "2026-11-29", with what each namespace,
// function and key has used in it, a JSON document. Queued calls have buckets of their own: see calls.go. "kept calls"
// holds the record of each call whose caller has waited, a JSON document, under its ID. A namespace and an ID take at
// most 32 KiB each, and of a function with secrets 32 KiB together.
//
// What functions print is kept in memory.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/feed"
	"github.com/backstage/functions/internal/store/keylock"
	"github.com/backstage/functions/internal/store/line"
	"github.com/backstage/functions/internal/store/meter"
	"github.com/backstage/functions/internal/store/recent"
	"github.com/backstage/functions/internal/store/ring"
)

var (
	functionsBucket   = []byte("functions")
	sourcesBucket     = []byte("sources")
	namespacesBucket  = []byte("namespaces")
	routesBucket      = []byte("routes")
	patternsBucket    = []byte("patterns")
	keysBucket        = []byte("keys")
	publicBucket      = []byte("public")
	modulesBucket     = []byte("modules")
	moduleFilesBucket = []byte("module files")
	auditBucket       = []byte("audit")
	limitsBucket      = []byte("limits")
	secretsBucket     = []byte("secrets")
	usageBucket       = []byte("usage")

	allBuckets = slices.Concat([][]byte{
		functionsBucket, sourcesBucket, namespacesBucket, routesBucket, patternsBucket, keysBucket, publicBucket,
		modulesBucket, moduleFilesBucket, auditBucket, limitsBucket, secretsBucket,
		usageBucket, keptBucket,
	}, callBuckets)
)

// Store keeps functions in a file. Use Open. It is safe for concurrent use.
type Store struct {
	db     *bbolt.DB
	damage Damage
	feed   feed.Feed
	feed.Messages
	owners      keylock.Locks // see lockOwner
	preparing   chan struct{} // see prepare
	readers     keylock.Locks
	ring.Ring   // what functions print
	line.Calls  // the queue
	recent.Kept // the records of calls whose callers have waited

	// A transaction must not wait for a lock that is held while another begins or ends: a write that makes the file
	// larger waits for all readers. So who counts and who takes tokens have locks of their own.
	counting sync.Mutex // guards servers; held during a write
	servers  meter.Servers
	taking   sync.Mutex // guards buckets; held for a moment, during a read
	buckets  meter.Buckets
	closed   atomic.Bool

	// Limits bound what is written and read, Reading how many large records are read at the same time: nil sets no bound.
	// They must not change once the store is in use.
	Limits  function.Limits
	Reading cpulimit.Limiter
}

// Name is "embedded".
func (s *Store) Name() string { return "embedded" }

// Damage is what was found when the store was opened: Get refuses these functions until they are put again.
func (s *Store) Damage() Damage { return s.damage }

// Ping returns nil until the store is closed.
func (s *Store) Ping(ctx context.Context) error {
	return s.view(ctx, "ping", func(*bbolt.Tx) error { return nil })
}

// Watch calls notify for every write from now on, one at a time, until ctx ends.
func (s *Store) Watch(ctx context.Context, notify func(function.Change)) {
	s.feed.Watch(ctx, notify)
}

// Close waits for the calls in progress and releases the file; later calls wrap function.ErrUnavailable.
func (s *Store) Close() error {
	s.Messages.Close()
	s.Ring.Close()
	s.closed.Store(true)
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("embedded store: close: %w", err)
	}
	return nil
}

// view runs what in a read transaction. Its errors begin with the name of the operation.
func (s *Store) view(ctx context.Context, operation string, what func(*bbolt.Tx) error) error {
	return run(ctx, operation, s.db.View, what)
}

// update waits for the other writes of its owner, runs what in a write transaction and publishes the change once it
// is on the disk.
func (s *Store) update(ctx context.Context, operation string, c function.Change, what func(*bbolt.Tx) error) error {
	return s.replace(ctx, operation, c, nil, what)
}

// replace is update with a part before it: read, if it is not nil, prepares what is written. It runs in a read
// transaction, beside the writes of other owners.
func (s *Store) replace(
	ctx context.Context, operation string, c function.Change, read, write func(*bbolt.Tx) error,
) error {
	release, err := s.lockOwner(ctx, c)
	if err != nil {
		return fmt.Errorf("embedded store: %s: %w", operation, err)
	}
	defer release()
	if read != nil {
		if err := run(ctx, operation, s.prepareView(ctx), read); err != nil {
			return err
		}
	}
	if err := run(ctx, operation, s.db.Update, write); err != nil {
		return err
	}
	s.feed.Publish(c)
	return nil
}

// prepareView is a read transaction in one of the slots of prepare.
func (s *Store) prepareView(ctx context.Context) func(func(*bbolt.Tx) error) error {
	return func(read func(*bbolt.Tx) error) error {
		return s.prepare(ctx, func() error { return s.db.View(read) })
	}
}

func run(
	ctx context.Context, operation string, transaction func(func(*bbolt.Tx) error) error, what func(*bbolt.Tx) error,
) error {
	err := context.Cause(ctx)
	if err == nil {
		err = transaction(what)
	}
	errno, ofSystem := errors.AsType[syscall.Errno](err)
	switch {
	case err == nil:
		return nil
	case errno == syscall.ENOSPC, errno == syscall.EDQUOT:
		return fmt.Errorf("embedded store: %s: %w: %w: %w", operation, function.ErrFull, function.ErrUnavailable, err)
	case ofSystem, errors.Is(err, berrors.ErrDatabaseNotOpen): // a disk that fails, for one
		return fmt.Errorf("embedded store: %s: %w: %w", operation, function.ErrUnavailable, err)
	}
	return fmt.Errorf("embedded store: %s: %w", operation, err)
}
