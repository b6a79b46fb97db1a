//go:build linux && amd64

package rollback

import (
	"strings"
	"testing"
)

// Whether the listener or a look finds the worker in its stub, nothing of its system calls is lost.
func TestALookLosesNothing(t *testing.T) {
	b := newBed(t, nil)
	for i := range 100 {
		b.send('h') // it maps some pages, of which the host is told
		for b.ctx().Err() == nil && !b.Parks() {
		}
		if b.Soon() {
			t.Fatalf("call %d: the worker counts as soon put back", i)
		}
		b.answer()
		b.must(b.rollBack())
		b.call('O') // it reads memory, and makes no system call that leaves anything
		for b.ctx().Err() == nil && !b.Parks() {
		}
		if !b.Soon() {
			t.Fatalf("call %d: system call %d is held against it", i, b.now.call)
		}
		b.must(b.rollBack())
	}
}

// A worker that waits for a call, or is dead, does not wait for the host.
func TestAWorkerThatWaitsForACallDoesNotPark(t *testing.T) {
	b := newBed(t, nil)
	if b.Parks() {
		t.Error("a worker that waits for a call counts as parked")
	}
	b.must(b.process.Process.Kill())
	<-b.Gone()
	if b.Parks() {
		t.Error("a dead worker counts as parked")
	}
}

// Nobody waits for a rollback that the worker itself has to do something for: one that drops pages.
func TestARollbackThatTakesTheWorkerIsNotSoon(t *testing.T) {
	b := newBed(t, nil)
	soon := func(call byte) bool {
		t.Helper()
		b.call(call)
		b.must(b.AwaitPark(b.ctx()))
		layouts, dropped := b.Stats.Layouts, b.Stats.Dropped
		soon := b.Soon()
		b.must(b.rollBack())
		if soon && (b.Stats.Layouts != layouts || b.Stats.Dropped != dropped) {
			t.Errorf("a rollback was to be soon, and has dropped %d pages", b.Stats.Dropped-dropped)
		}
		return soon
	}
	for i, row := range []struct {
		call  byte
		since int
		want  bool
	}{{'a', 0, true}, {'P', 0, true}, {'c', 0, false}, {'a', 0, true}, {'a', relearnAfter - 1, false}, {'a', 0, true}} {
		b.snap.since = row.since
		if got := soon(row.call); got != row.want {
			t.Errorf("call %d, %c: soon is %v", i, row.call, got)
		}
	}
}

// What is read of a worker that has died is an error that says so.
func TestAWorkerThatDiesDuringItsSnapshotIsNamed(t *testing.T) {
	b := newBed(t, nil)
	_, err := b.proc.pagemap()
	b.must(err)
	b.must(b.process.Process.Kill())
	_ = b.process.Wait() // which says that it was killed
	for i := range b.snap.areas {
		a := &b.snap.areas[i]
		if a.inode != 0 {
			continue
		}
		err := b.eachPresent(a, func(_, _ uint64) error { return nil })
		if causeOf(t, err) != Kernel || strings.Contains(err.Error(), "nil") {
			t.Errorf("got %v", err)
		}
	}
}
