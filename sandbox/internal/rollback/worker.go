//go:build linux && amd64

package rollback

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/seccomp"
)

// Worker is the host's side of a worker that can be rolled back. But for Close it is for one goroutine at a time. Its
// methods are called in this order: AwaitPark before each of Release, Snapshot and Rollback, and Release after the
// latter two.
type Worker struct {
	pid       int
	uffd      int
	list      *list
	listener  *listener
	store     *Store
	proc      *proc
	stub      uint64 // the sum of its page
	reading   uint64 // the instruction after the stub's read
	registers uint64 // where the stub keeps registers; a page of its own
	regions   []region
	scan      scanner // scan, but in tests
	writer    writer

	now    parked // valid between AwaitPark and Release
	here   bool   // it is in its stub, as far as AwaitPark has found out
	ran    bool   // it was released: what it parks after may be code of a function
	before taint  // what calls of such code before the snapshot may have left behind
	snap   *snapshot
	base   stat // of the process, from when on nothing may have changed

	// Stats is what rolling back has taken so far.
	Stats Stats
}

// Stats counts what rollbacks have done.
type Stats struct {
	Rollbacks uint64 // that succeeded
	Scans     uint64 // for which the list alone was not enough
	Layouts   uint64 // that had to change mappings back
	Pages     uint64 // that were written back, those of the list not counted
	Dropped   uint64 // pages that were given back to the kernel
}

// Gone is closed when the worker is dead, or Close was called.
func (w *Worker) Gone() <-chan struct{} { return w.listener.stopped }

// AwaitPark waits until the worker is in its stub. Its error is a *RetireError.
func (w *Worker) AwaitPark(ctx context.Context) error {
	if w.isHere() {
		return nil
	}
	select {
	case came := <-w.listener.parks:
		w.came(came)
		return nil
	case <-w.listener.stopped:
		return retire(NoPark, "the worker is dead")
	case <-ctx.Done():
		return retire(NoPark, "the worker has not come back: %v", context.Cause(ctx))
	}
}

// isHere says whether the worker is known to be in its stub, or has just come there.
func (w *Worker) isHere() bool {
	if !w.here {
		select {
		case came := <-w.listener.parks:
			w.came(came)
		default:
		}
	}
	return w.here
}

// came notes that the worker is in its stub.
func (w *Worker) came(p parked) {
	w.now, w.here = p, true
	if w.ran && w.snap == nil {
		w.before |= p.taint
	}
}

// looks is how often Parks looks for a worker. From its answer to its stub it takes a few microseconds, and each look
// leaves the processor to it.
const looks = 12

// Parks says whether the worker is in its stub, or comes there within a moment. To be put to sleep and woken for that
// would take longer.
func (w *Worker) Parks() bool {
	for range looks {
		if w.isHere() {
			return true
		}
		w.listener.look()
		_, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
	return false
}

// Soon says whether Rollback of the parked worker takes but a moment, and nothing of the worker, which others may keep
// from its processor: it has made no system call that may leave something behind, it has written to fewer pages than it
// takes to drop any, and its list is not to be forgotten.
func (w *Worker) Soon() bool {
	if w.now.taint != 0 || w.snap.since+1 >= relearnAfter {
		return false
	}
	state, err := w.proc.stat()
	if err != nil {
		return false
	}
	w.now.seen = &state
	return state.faults-w.base.faults < dropFrom
}

// stat is that of the parked worker, read anew unless it was read since.
func (w *Worker) stat() (stat, error) {
	if w.now.seen != nil {
		return *w.now.seen, nil
	}
	return w.proc.stat()
}

// Answers of the host to the stub.
const (
	answerGo  = 0 // copy the pages of the list, read a byte, return
	answerOps = 1 // make the system calls of the list, ask again
)

// Release lets a parked worker go on.
func (w *Worker) Release() error {
	w.ran = true
	return w.answer(answerGo)
}

// askTimeout is how long a worker that was stopped while it was parked may take to ask again.
const askTimeout = 10 * time.Second

// answer gives the parked worker an answer. One that was stopped and continued meanwhile, or frozen, asks once more,
// for the kernel has taken its question back. Between both nothing of it runs but what a signal from outside has it
// run, as one could at any time after the answer.
func (w *Worker) answer(value int64) error {
	for {
		w.here = false
		err := w.listener.reply(w.now.id, value)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.ENOENT) {
			return retire(Kernel, "answer: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		err = w.AwaitPark(ctx)
		cancel()
		if err != nil {
			return err
		}
		if w.now.taint != 0 {
			return retire(Call, "%s while it was parked", seccomp.Describe(int(w.now.call)))
		}
	}
}

// run has the stub make system calls, and waits for it. What they leave behind is meant.
func (w *Worker) run(ctx context.Context, ops []op) error {
	for len(ops) > 0 {
		n := min(len(ops), maxOps)
		w.list.setOps(ops[:n])
		ops = ops[n:]
		before := w.now
		if err := w.answer(answerOps); err != nil {
			return err
		}
		if err := w.AwaitPark(ctx); err != nil {
			return err
		}
		w.now.taint, w.now.call = before.taint, before.call
	}
	return nil
}

func call(number uint64, args ...uint64) op {
	o := op{number: number}
	copy(o.args[:], args)
	return o
}

// eachRegion calls do for all pages between start and end that a scan finds. It may not scan meanwhile.
func (w *Worker) eachRegion(start, end uint64, q query, do func(start, end uint64) error) error {
	return w.walk(w.scan, start, end, q, do)
}

// walk is eachRegion with a scanner of its own.
func (w *Worker) walk(scan scanner, start, end uint64, q query, do func(start, end uint64) error) error {
	pagemap, err := w.proc.pagemap()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	for start < end {
		n, stopped, err := scan(pagemap, start, end, q, w.regions)
		if err != nil {
			return retire(Kernel, "scan of %#x-%#x: %v", start, end, err)
		}
		for _, r := range w.regions[:n] {
			if err := do(r.start, r.end); err != nil {
				return err
			}
		}
		if stopped <= start {
			return retire(Kernel, "scan of %#x-%#x does not get on", start, end)
		}
		start = stopped
	}
	return nil
}

// anyRegion says whether a scan finds a page between start and end.
func (w *Worker) anyRegion(start, end uint64, q query) (bool, error) {
	found := false
	err := w.eachRegion(start, end, q, func(_, _ uint64) error {
		found = true
		return nil
	})
	return found, err
}

// protect protects the pages between start and end that are written to.
func (w *Worker) protect(start, end uint64) error {
	pagemap, err := w.proc.pagemap()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	q := query{flags: scanProtect | scanCheckAsync, mask: isWritten}
	if _, _, err := scan(pagemap, start, end, q, nil); err != nil {
		return retire(Kernel, "protection of %#x-%#x: %v", start, end, err)
	}
	return nil
}

// Close gives up all that the host has of the worker, which must be dead or about to be killed. It is safe beside other
// methods only when the worker is dead and they have returned.
func (w *Worker) Close() error {
	err := errors.Join(w.listener.close(), w.list.close(), w.proc.close(), unix.Close(w.uffd))
	if w.snap != nil {
		w.snap.drop(w.store)
		w.snap = nil
	}
	return err
}
