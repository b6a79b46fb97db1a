// Package mem keeps functions in memory, for tests and for servers that may lose everything.
package mem

import (
	"context"
	"fmt"
	"sync"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/store/feed"
	"github.com/backstage/functions/internal/store/line"
	"github.com/backstage/functions/internal/store/meter"
	"github.com/backstage/functions/internal/store/recent"
	"github.com/backstage/functions/internal/store/ring"
	"github.com/backstage/functions/internal/usage"
)

// Store keeps functions in maps. Use New. It is safe for concurrent use.
type Store struct {
	feed feed.Feed
	feed.Messages
	ring.Ring   // what functions print
	line.Calls  // the queue
	recent.Kept // the records of calls whose callers have waited

	// Limits bound what is written. They must not change once the store is in use.
	Limits function.Limits

	mu         sync.RWMutex // guards the fields below
	closed     bool
	functions  map[function.Ref]*function.Function // without Settings
	namespaces map[string]*function.Namespace
	order      []function.Ref            // the keys of functions, in the order of lists
	routes     map[string]function.Route // by their names
	patterns   map[string]string         // the names of routes, by their patterns
	keys       map[string]identity.Key   // by their IDs
	public     map[function.Ref]string   // the access of each
	modules    map[function.ModuleRef]*function.Module
	audit      []audit.Record                                       // the oldest first
	audited    uint64                                               // how many records there have been
	limits     map[string]usage.Namespace                           // by their names
	secrets    map[function.SecretScope]map[string]*function.Secret // by their names
	usage      map[string]map[usage.Subject]*usage.Day              // by days
	servers    meter.Servers
	buckets    meter.Buckets
}

// New returns an empty store.
func New() *Store {
	s := &Store{
		functions:  make(map[function.Ref]*function.Function),
		namespaces: make(map[string]*function.Namespace),
		routes:     make(map[string]function.Route),
		patterns:   make(map[string]string),
		keys:       make(map[string]identity.Key),
		public:     make(map[function.Ref]string),
		modules:    make(map[function.ModuleRef]*function.Module),
		limits:     make(map[string]usage.Namespace),
		secrets:    make(map[function.SecretScope]map[string]*function.Secret),
		usage:      map[string]map[usage.Subject]*usage.Day{},
	}
	s.Calls = line.CallsOf(line.New(&line.Memory{}, nil), s.onLine)
	s.Kept = recent.KeptOf(recent.New(&recent.Memory{}, nil), s.onLine)
	return s
}

// Name is "memory".
func (s *Store) Name() string { return "memory" }

// Ping returns nil until the store is closed.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, "ping", func() error { return nil })
}

// Watch calls notify for every write from now on, one at a time, until ctx ends.
func (s *Store) Watch(ctx context.Context, notify func(function.Change)) {
	s.feed.Watch(ctx, notify)
}

// Close forgets everything; later calls wrap function.ErrUnavailable. It returns nil.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.functions, s.namespaces, s.order, s.routes, s.patterns, s.keys = nil, nil, nil, nil, nil, nil
	s.public, s.modules, s.audit, s.limits, s.secrets, s.usage = nil, nil, nil, nil, nil, nil
	s.Messages.Close()
	s.Ring.Close()
	return nil
}

// read runs what under the read lock. Its errors begin with the name of the operation.
func (s *Store) read(ctx context.Context, operation string, what func() error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.runLocked(ctx, operation, what)
}

// write runs what under the write lock and publishes the change when it succeeded.
func (s *Store) write(ctx context.Context, operation string, c function.Change, what func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.runLocked(ctx, operation, what); err != nil {
		return err
	}
	s.feed.Publish(c)
	return nil
}

// change is write for what makes nothing stale.
func (s *Store) change(ctx context.Context, operation string, what func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runLocked(ctx, operation, what)
}

func (s *Store) runLocked(ctx context.Context, operation string, what func() error) error {
	if err := s.usableLocked(ctx); err != nil {
		return fmt.Errorf("memory: %s: %w", operation, err)
	}
	if err := what(); err != nil {
		return fmt.Errorf("memory: %s: %w", operation, err)
	}
	return nil
}

func (s *Store) usableLocked(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.closed {
		return fmt.Errorf("%w: closed", function.ErrUnavailable)
	}
	return nil
}
