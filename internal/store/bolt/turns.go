package bolt

import (
	"context"
	"runtime"

	"github.com/backstage/functions/internal/function"
)

// The file takes one write at a time, and a large record takes long to be read and written. So that nobody's large ones keep others waiting,
//
//   - the writes of each owner of namespaces wait among themselves, and one of each owner for the file;
//   - a record is read, changed and put into its text before that, a few at a time. Nobody else can change it meanwhile: who could has the same
//     owner.

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
	return s.turns.Take(ctx, function.Owner(namespace, s.OwnerSeparator))
}
