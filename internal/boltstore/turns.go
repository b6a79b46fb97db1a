package boltstore

import (
	"context"
	"runtime"
	"sync"

	"github.com/backstage/functions/internal/function"
)

// The file takes one write at a time, and a large record takes long to be read and written. So that nobody's large ones keep others waiting,
//
//   - the writes of each owner of namespaces wait among themselves, and one of each owner for the file;
//   - a record is read, changed and put into its text before that, a few at a time. Nobody else can change it meanwhile: who could has the same
//     owner.

// turns gives each owner one turn at a time. The zero value is ready. It is safe for concurrent use.
type turns struct {
	mu   sync.Mutex // guards the fields below
	busy map[string]*turn
}

// turn is that of one owner, there as long as somebody has it or waits for it.
type turn struct {
	token chan struct{} // holds one while nobody has it
	users int
}

// take waits until it is the owner's turn, or returns the cause of the context's end. The turn lasts until release is called.
func (t *turns) take(ctx context.Context, owner string) (release func(), err error) {
	mine := t.join(owner)
	select {
	case <-ctx.Done():
		t.leave(owner, mine)
		return nil, context.Cause(ctx)
	case <-mine.token:
	}
	return func() {
		mine.token <- struct{}{}
		t.leave(owner, mine)
	}, nil
}

func (t *turns) join(owner string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine, ok := t.busy[owner]
	if !ok {
		mine = &turn{token: make(chan struct{}, 1)}
		mine.token <- struct{}{}
		if t.busy == nil {
			t.busy = map[string]*turn{}
		}
		t.busy[owner] = mine
	}
	mine.users++
	return mine
}

func (t *turns) leave(owner string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.busy, owner)
	}
}

// newPlaces are places for those who prepare a record, each of which may take several times its size.
func newPlaces() chan struct{} { return make(chan struct{}, max(2, runtime.GOMAXPROCS(0))) }

// prepare runs what in one of the places.
func (s *Store) prepare(ctx context.Context, what func() error) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s.places <- struct{}{}:
	}
	defer func() { <-s.places }()
	return what()
}

// turnOf waits for the turn of the owner that a change is about.
func (s *Store) turnOf(ctx context.Context, c function.Change) (release func(), err error) {
	namespace := c.Namespace
	if namespace == "" {
		namespace = c.Ref.Namespace
	}
	return s.turns.take(ctx, function.Owner(namespace, s.OwnerSeparator))
}
