package bolt

import (
	"context"
	"errors"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func openHere(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAnOwnerWaitsForItselfAlone(t *testing.T) {
	s := openHere(t)
	s.OwnerSeparator = "+"
	write := func(ctx context.Context, namespace string) error {
		_, err := s.Put(ctx, &function.Function{Ref: function.Ref{Namespace: namespace, ID: "id"}, Code: "1"})
		return err
	}
	release, err := s.lockOwner(t.Context(), function.Change{Namespace: "big+one"})
	if err != nil {
		t.Fatal(err)
	}
	left := errors.New("the caller left")
	ctx, leave := context.WithCancelCause(t.Context())
	waiting := make(chan error)
	go func() { waiting <- write(ctx, "big+two") }()
	if err := write(t.Context(), "small"); err != nil {
		t.Errorf("another owner: %v", err)
	}
	leave(left)
	if err := <-waiting; !errors.Is(err, left) {
		t.Errorf("a caller that waited and left: %v", err)
	}
	go func() { waiting <- write(t.Context(), "big+two") }()
	release()
	if err := <-waiting; err != nil {
		t.Errorf("the next write of the owner: %v", err)
	}
	if !s.owners.Idle() {
		t.Error("nobody writes, but a lock is held")
	}
}

func TestRecordsArePreparedBesideOtherWrites(t *testing.T) {
	s := openHere(t)
	f := &function.Function{Ref: function.Ref{Namespace: "ns", ID: "id"}, Code: "1"}
	if _, err := s.Put(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	tx, err := s.db.Begin(true) // somebody writes
	if err != nil {
		t.Fatal(err)
	}
	// What can be known before the write is answered without waiting for it.
	if err := s.UnsetEnv(t.Context(), f.Ref, "A"); !errors.Is(err, function.ErrEnvNotFound) {
		t.Errorf("got %v", err)
	}
	done := make(chan error)
	go func() { done <- s.SetEnv(t.Context(), f.Ref, "A", "1") }()
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	ended, leave := context.WithCancel(t.Context())
	for range cap(s.preparing) {
		s.preparing <- struct{}{}
	}
	leave()
	if err := s.SetEnv(ended, f.Ref, "A", "2"); !errors.Is(err, context.Canceled) {
		t.Errorf("without a free slot: %v", err)
	}
}
