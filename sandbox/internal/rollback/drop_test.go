//go:build linux && amd64

package rollback

import (
	"testing"

	"golang.org/x/sys/unix"
)

// grownPages is how many pages the call 'c' writes to that nobody had touched.
const grownPages = 16

// zeroed is how many pages of the worker are in memory that were absent in the snapshot.
func (b *bed) zeroed() (n int) {
	for i := range b.snap.areas {
		for _, state := range b.snap.areas[i].state {
			if state == isZeroed {
				n++
			}
		}
	}
	return n
}

// What one call alone has used is given back to the kernel. What the next one uses as well stays, and is zeroed.
func TestMemoryOfALargeCallIsGivenBack(t *testing.T) {
	b := newBed(t, nil)
	b.call('a')
	b.must(b.rollBack())
	before := b.zeroed()
	b.call('c')
	b.must(b.rollBack())
	if b.Stats.Dropped < grownPages || b.zeroed() != before {
		t.Errorf("%d pages were given back, %d stay, %d did before", b.Stats.Dropped, b.zeroed(), before)
	}
	if left := b.call('a'); left != 0 {
		t.Errorf("the next call finds %b", left)
	}
	b.must(b.rollBack())
	dropped := b.Stats.Dropped
	for range 3 {
		b.call('c')
		b.must(b.rollBack())
	}
	if b.Stats.Dropped != dropped || b.zeroed() < before+grownPages {
		t.Errorf("%d pages more were given back, %d stay", b.Stats.Dropped-dropped, b.zeroed())
	}
	if left := b.call('a'); left != 0 {
		t.Errorf("the next call finds %b", left)
	}
	b.must(b.rollBack())
}

// With the list that has them, such pages go as well.
func TestMemoryThatTheListForgetsIsGivenBack(t *testing.T) {
	b := newBed(t, nil)
	for range 4 {
		b.call('c')
		b.must(b.rollBack())
		b.call('a')
		b.must(b.rollBack())
	}
	b.snap.since = relearnAfter - 1
	dropped := b.Stats.Dropped
	b.call('a')
	b.must(b.rollBack())
	if b.Stats.Dropped < dropped+grownPages {
		t.Errorf("%d pages were given back", b.Stats.Dropped-dropped)
	}
	b.call('c')
	b.must(b.rollBack())
	if left := b.call('a'); left != 0 {
		t.Errorf("the next call finds %b", left)
	}
	b.must(b.rollBack())
}

// A kernel that keeps what it was told to drop is found out.
func TestPagesThatAreNotDroppedAreFound(t *testing.T) {
	b := newBed(t, func(w *Worker) {
		w.listener.hook.Store(new(func(n *notification) bool {
			if n.number != unix.SYS_MADVISE {
				return false
			}
			return w.listener.reply(n.id, 0) == nil // it says that it is done
		}))
	})
	b.call('c')
	if err := b.rollBack(); causeOf(t, err) != Pages {
		t.Errorf("got %v", err)
	}
}
