package bolt

import (
	"cmp"
	"context"
	"runtime"

	"github.com/backstage/functions/internal/function"
)

// The file takes one write at a time, and a large record takes long to read and write. Two rules keep the large records
// of one owner of namespaces from delaying the writes of others:
//
//   - The writes of one owner wait for each other, so each owner has at most one write that waits for the file.
//   - A record is read, changed and encoded before its write waits for the file. A few are encoded at a time. Nobody
//     else can change the record meanwhile: all who could have the same owner.

// newSlots limits how many records are prepared at a time: each may take several times its size in memory.
func newSlots() chan struct{} { return make(chan struct{}, max(2, runtime.GOMAXPROCS(0))) }

// prepare waits for a free slot and runs what. When ctx ends first, the error is its cause.
func (s *Store) prepare(ctx context.Context, what func() error) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s.preparing <- struct{}{}:
	}
	defer func() { <-s.preparing }()
	return what()
}

// lockOwner locks the owner of what c changes.
func (s *Store) lockOwner(ctx context.Context, c function.Change) (release func(), err error) {
	namespace := c.Namespace
	if namespace == "" {
		namespace = cmp.Or(c.Ref.Namespace, c.Secrets)
	}
	return s.owners.Acquire(ctx, function.Owner(namespace, s.OwnerSeparator))
}
