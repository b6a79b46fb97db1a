//go:build linux && amd64

package rollback

import (
	"context"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/seccomp"
)

// Rollback puts the parked worker back to its snapshot, but for the pages of the list, which its stub copies when it is
// released. Its error is a *RetireError: the worker must not go on then.
func (w *Worker) Rollback(ctx context.Context) error {
	if w.now.taint&taintOther != 0 {
		return retire(Call, "%s", seccomp.Describe(int(w.now.call)))
	}
	if err := w.restoreFiles(ctx); err != nil {
		return err
	}
	state, err := w.stat()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	if state.signals[0]&(1<<(unix.SIGKILL-1)) != 0 {
		return retire(NoPark, "it is being killed")
	}
	if state.threads != w.base.threads {
		return retire(Thread, "%d threads, not %d", state.threads, w.base.threads)
	}
	if state.signals != w.base.signals { // which a signal of its own may change without a system call
		return retire(Call, "signals are %x, not %x: pending, blocked, ignored, handled", state.signals, w.base.signals)
	}
	if w.now.taint&taintLayout != 0 {
		if err := w.restoreMappings(ctx); err != nil {
			return err
		}
	}
	w.snap.since++
	switch {
	case w.now.taint != 0 || state.faults != w.base.faults:
		err = w.writeBack(ctx)
	case w.snap.since >= relearnAfter:
		err = w.forgetList(ctx)
	default:
		w.Stats.Rollbacks++
		return nil
	}
	if err != nil {
		return err
	}
	// From here on a fault is one of the next call, or of the stub, which writes to its own page.
	if w.base, err = w.proc.stat(); err != nil {
		return retire(Kernel, "%v", err)
	}
	w.Stats.Rollbacks++
	return nil
}

// restoreFiles closes what was opened, and compares what is left with the snapshot.
func (w *Worker) restoreFiles(ctx context.Context) error {
	if w.now.taint&taintEvents != 0 {
		if err := w.resetEvents(ctx); err != nil {
			return err
		}
	}
	if w.now.taint&(taintFiles|taintEvents) == 0 {
		return nil
	}
	files, err := readFiles(w.pid)
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	var ops []op
	for _, f := range files {
		if !hasFile(w.snap.files, uint64(f.number)) {
			ops = append(ops, call(unix.SYS_CLOSE, uint64(f.number)))
		}
	}
	if len(ops) > 0 {
		if err := w.run(ctx, ops); err != nil {
			return err
		}
		if files, err = readFiles(w.pid); err != nil {
			return retire(Kernel, "%v", err)
		}
	}
	if !slices.Equal(files, w.snap.files) {
		return retire(Files, "%s", differentFile(files, w.snap.files))
	}
	return nil
}

func differentFile(now, then []file) string {
	for _, f := range now {
		if i := slices.IndexFunc(then, func(o file) bool { return o.number == f.number }); i < 0 || then[i] != f {
			return f.text
		}
	}
	return "one is gone"
}

// restoreMappings brings back the mappings and the contents of those that were mapped anew.
func (w *Worker) restoreMappings(ctx context.Context) error {
	fresh, err := w.restoreLayout(ctx)
	if err != nil {
		return err
	}
	for _, part := range fresh {
		for at := part.start; at < part.end; {
			a := w.snap.find(at)
			if a == nil {
				return retire(Mapping, "nothing belongs at %#x", at)
			}
			end := min(a.end, part.end)
			if err := w.refill(a, at, end); err != nil {
				return err
			}
			at = end
		}
	}
	return nil
}

// refill writes the contents of pages of an area that are empty, and protects them.
func (w *Worker) refill(a *area, start, end uint64) error {
	for at := start; a.state != nil && at < end; at += pageSize {
		i := int((at - a.start) / pageSize)
		switch {
		case a.state[i] == wasThere:
			if err := w.put(a, i); err != nil {
				return err
			}
		case a.slot[i] == 0:
			a.state[i] = wasAbsent
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	if a.prot == 0 || a.hollow {
		return nil
	}
	return w.protect(start, end)
}

// put has page i of an area written as it was, now or with the next flush.
func (w *Worker) put(a *area, i int) error {
	at := a.start + uint64(i)*pageSize
	if !a.jit {
		w.writer.add(at, a.content(i))
		return nil
	}
	memory, err := w.proc.memory() // which writes to what is not writable, too
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	n, err := unix.Pwrite(memory, a.content(i), int64(at))
	if err := complete(n, pageSize, err); err != nil {
		return retire(Kernel, "writing code at %#x: %v", at, err)
	}
	return nil
}

func (w *Worker) flush() error {
	if err := w.writer.flush(w.pid); err != nil {
		return retire(Kernel, "writing back: %v", err)
	}
	return nil
}
