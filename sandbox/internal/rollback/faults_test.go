//go:build linux && amd64

package rollback

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// expectNoPark fails unless the worker does not come back.
func (b *bed) expectNoPark(causes []Cause) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := b.AwaitPark(ctx)
	if cause := causeOf(b.T, err); !slices.Contains(causes, cause) {
		b.Errorf("got %v, want %v", err, causes)
	}
}

// The control of all other tests: a comparison finds a single page that was left out.
func TestAPageThatTheScanMissesIsFound(t *testing.T) {
	b := newBed(t, nil)
	b.scan = func(pagemap int, start, end uint64, q query, into []region) (int, uint64, error) {
		n, stopped, err := scan(pagemap, start, end, q, into)
		if q.mask == isWritten && q.flags&scanProtect == 0 {
			n = dropOne(into[:n])
		}
		return n, stopped, err
	}
	b.call('H')
	if err := b.rollBack(); causeOf(t, err) != Unproven {
		t.Errorf("got %v", err)
	}
}

// dropOne takes the first page of the first region away.
func dropOne(regions []region) int {
	if len(regions) == 0 {
		return 0
	}
	if regions[0].start += pageSize; regions[0].start == regions[0].end {
		return copy(regions, regions[1:])
	}
	return len(regions)
}

// A list that lacks a page, as if another had been put in its place.
func TestAPageThatTheListLacksIsFound(t *testing.T) {
	b := newBed(t, nil)
	for range 4 {
		b.call('b')
		b.must(b.rollBack())
	}
	if b.snap.listed < 2 {
		t.Fatalf("%d pages are on the list", b.snap.listed)
	}
	for n := range b.snap.listed {
		if a := b.snap.find(b.list.page(n)); a.start+uint64(slices.Index(a.slot, int16(n+1)))*pageSize != b.list.page(n) {
			t.Fatalf("slot %d is not that of its page", n)
		}
	}
	victim := slices.IndexFunc(b.pagesOfList(), func(at uint64) bool { return at != b.registers })
	other := (victim + 1) % b.snap.listed
	a := b.snap.find(b.list.page(other))
	b.list.setPage(victim, b.list.page(other), a.content(int((b.list.page(other)-a.start)/pageSize)))
	b.call('b')
	if err := b.rollBack(); causeOf(t, err) != Unproven {
		t.Errorf("got %v", err)
	}
}

func (b *bed) pagesOfList() (all []uint64) {
	for n := range b.snap.listed {
		all = append(all, b.list.page(n))
	}
	return all
}

// A kernel that does not count faults would hide what was written.
func TestAFaultThatIsNotCountedIsFound(t *testing.T) {
	b := newBed(t, nil)
	for range 3 { // the stub's own pages are on the list by then
		b.call('a')
		b.must(b.rollBack())
	}
	b.call('b')
	b.must(b.AwaitPark(b.ctx()))
	state, err := b.proc.stat()
	b.must(err)
	b.base = state
	if b.now.taint != 0 {
		t.Fatalf("the call has a taint, %b", b.now.taint)
	}
	b.must(errors.Join(b.Rollback(b.ctx()), b.Release()))
	if err := b.Compare(b.ctx()); causeOf(t, err) != Unproven {
		t.Errorf("got %v", err)
	}
}

// A call that writes nothing but what is on the list needs no scan: that is what makes it fast.
func TestTheListAloneIsEnough(t *testing.T) {
	b := newBed(t, nil)
	for range 5 {
		b.call('a')
		b.must(b.rollBack())
	}
	before := b.Stats.Scans
	for range 20 {
		b.call('a')
		b.must(b.rollBack())
	}
	if b.Stats.Scans != before || b.Stats.Rollbacks != 25 {
		t.Errorf("%+v, %d scans before", b.Stats, before)
	}
}

// The list is begun anew after a while, and is right then, too.
func TestTheListIsLearntAnew(t *testing.T) {
	b := newBed(t, nil)
	for i := range relearnAfter + 20 {
		b.call("ab"[i%2])
		b.must(b.AwaitPark(b.ctx()))
		b.must(errors.Join(b.Rollback(b.ctx()), b.Release()))
		if i >= relearnAfter-5 {
			b.must(b.Compare(b.ctx()))
		}
	}
	if b.snap.since >= relearnAfter {
		t.Errorf("the list serves for %d rollbacks already", b.snap.since)
	}
}

// A notification that is lost leaves the worker where it is: it ends.
func TestALostNotificationEndsTheWorker(t *testing.T) {
	for name, lost := range map[string]int32{"of the stub": unix.SYS_GETEGID, "of a call": unix.SYS_MUNMAP} {
		t.Run(name, func(t *testing.T) {
			var b *bed
			armed := make(chan struct{})
			b = newBed(t, func(w *Worker) {
				w.listener.hook.Store(new(func(n *notification) bool {
					select {
					case <-armed:
						return n.number == lost
					default:
						return false
					}
				}))
			})
			close(armed)
			b.send('y')
			b.expectNoPark([]Cause{NoPark})
		})
	}
}

// A kernel that is late changes nothing: the host waits for it.
func TestALateNotificationIsWaitedFor(t *testing.T) {
	b := newBed(t, func(w *Worker) {
		w.listener.hook.Store(new(func(*notification) bool {
			time.Sleep(20 * time.Millisecond)
			return false
		}))
	})
	for range 3 {
		b.call('f')
		b.must(b.rollBack())
		if left := b.call('a'); left != 0 {
			t.Errorf("the next call finds %b", left)
		}
		b.must(b.rollBack())
	}
}

// A worker that dies is told at once, not after a timeout.
func TestTheDeathOfAWorkerEndsTheWait(t *testing.T) {
	b := newBed(t, nil)
	b.must(b.process.Process.Kill())
	if err := b.AwaitPark(b.ctx()); causeOf(t, err) != NoPark {
		t.Errorf("got %v", err)
	}
	<-b.Gone()
}

// A mapping that the snapshot cannot track is refused.
func TestTheSnapshotRefusesWhatItCannotTrack(t *testing.T) {
	b := newBed(t, nil)
	if list := b.snap.find(listAddress); list == nil || !list.fixed || list.kept() {
		t.Errorf("the list is %+v", list)
	}
	for i := range b.snap.areas {
		a := &b.snap.areas[i]
		if a.writable() && !a.kept() {
			t.Errorf("%#x-%#x can be written to and is not kept", a.start, a.end)
		}
	}
}
