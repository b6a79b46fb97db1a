//go:build linux && amd64

package rollback

import "testing"

// Whether the listener or a look finds the worker in its stub, nothing of its system calls is lost.
func TestALookLosesNothing(t *testing.T) {
	b := newBed(t, nil)
	for i := range 100 {
		b.send('h') // it maps some pages, of which the host is told
		for b.ctx().Err() == nil && !b.Parks() {
		}
		if b.Untouched() {
			t.Fatalf("call %d: the worker counts as untouched", i)
		}
		b.answer()
		b.must(b.rollBack())
		b.call('O') // it reads memory, and makes no system call that leaves anything
		for b.ctx().Err() == nil && !b.Parks() {
		}
		if !b.Untouched() {
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
