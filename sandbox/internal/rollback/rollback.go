//go:build linux && amd64

package rollback

import (
	"context"
	"slices"

	"golang.org/x/sys/unix"
)

// Bounds on what the list learns.
const (
	// promoteAfter is how many rollbacks must write a page back until it is listed.
	promoteAfter = 2
	// relearnAfter is how many rollbacks a list serves: what calls write changes as V8 moves objects.
	relearnAfter = 1000
)

// Rollback puts the parked worker back to its snapshot, but for the pages of the list, which its stub copies when it is
// released. Its error is a *RetireError: the worker must not go on then.
func (w *Worker) Rollback(ctx context.Context) error {
	if w.now.taint&taintOther != 0 {
		return retire(Call, "system call %d", w.now.call)
	}
	if err := w.restoreFiles(ctx); err != nil {
		return err
	}
	state, err := w.proc.stat()
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
		err = w.writeBack()
	case w.snap.since >= relearnAfter:
		err = w.forgetList()
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
		if err := w.drain(ctx, w.snap.files); err != nil {
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
	for at := start; a.kept() && at < end; at += pageSize {
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
	if a.prot == 0 {
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
	if n, err := unix.Pwrite(memory, a.content(i), int64(at)); err != nil || n != pageSize {
		return retire(Kernel, "writing code at %#x: %d bytes, %v", at, n, err)
	}
	return nil
}

func (w *Worker) flush() error {
	if err := w.writer.flush(w.pid); err != nil {
		return retire(Kernel, "writing back: %v", err)
	}
	return nil
}

// writeBack looks for all that was written to, writes it back and protects it again, or puts it on the list.
func (w *Worker) writeBack() error {
	w.Stats.Scans++
	var written []span
	for _, s := range w.snap.spans {
		q := query{flags: scanCheckAsync, mask: isWritten}
		err := w.eachRegion(s[0], s[1], q, func(start, end uint64) error {
			written = append(written, span{start, end})
			return nil
		})
		if err != nil {
			return err
		}
	}
	var again []span // to be protected
	for _, s := range written {
		parts, err := w.writeBackRegion(s.start, s.end)
		if err != nil {
			return err
		}
		again = append(again, parts...)
	}
	if err := w.flush(); err != nil {
		return err
	}
	return w.protectAll(again)
}

func (w *Worker) protectAll(spans []span) error {
	for _, s := range spans {
		if err := w.protect(s.start, s.end); err != nil {
			return err
		}
	}
	return nil
}

// writeBackRegion is writeBack for pages of any areas.
func (w *Worker) writeBackRegion(start, end uint64) (again []span, err error) {
	for start < end {
		a := w.snap.find(start)
		if a == nil {
			return nil, retire(Pages, "%#x was written to and is not mapped", start)
		}
		part := span{start, min(end, a.end)}
		start = part.end
		switch {
		case a.prot == 0: // whatever is there was looked for when the mappings were restored
		case !a.kept():
			return nil, retire(Fixed, "%#x was written to, which is not writable", part.start)
		default:
			parts, err := w.writeBackPart(a, part)
			if err != nil {
				return nil, err
			}
			again = append(again, parts...)
		}
	}
	return again, nil
}

// writeBackPart is writeBack for pages of one area.
func (w *Worker) writeBackPart(a *area, part span) (again []span, err error) {
	if err := w.findZeroed(a, part); err != nil {
		return nil, err
	}
	for at := part.start; at < part.end; at += pageSize {
		i := int((at - a.start) / pageSize)
		if a.state[i] == wasAbsent { // it was dropped again: it reads as zeros
			again = joined(again, at)
			continue
		}
		w.Stats.Pages++
		if w.listPage(a, i) {
			continue
		}
		if err := w.put(a, i); err != nil {
			return nil, err
		}
		again = joined(again, at)
	}
	return again, nil
}

// findZeroed notes which pages of a part are there that were not in the snapshot: they are to be zeros.
func (w *Worker) findZeroed(a *area, part span) error {
	for at := part.start; at < part.end; at += pageSize {
		first := at
		for at < part.end && a.state[(at-a.start)/pageSize] == wasAbsent {
			at += pageSize
		}
		if at == first {
			continue
		}
		err := w.eachRegion(first, at, query{anyOf: isPresent | isSwapped}, func(start, end uint64) error {
			for ; start < end; start += pageSize {
				a.state[(start-a.start)/pageSize] = isZeroed
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// joined is spans with the page at an address.
func joined(spans []span, at uint64) []span {
	if n := len(spans); n > 0 && spans[n-1].end == at {
		spans[n-1].end = at + pageSize
		return spans
	}
	return append(spans, span{at, at + pageSize})
}

// listPage puts a page on the list when it was written to often enough, and says whether it is on it: the stub copies
// it back, and it stays unprotected.
func (w *Worker) listPage(a *area, i int) bool {
	switch {
	case a.slot[i] > 0:
		return true
	case a.jit || w.snap.listed == maxListed:
		return false
	}
	if a.heat[i]++; a.heat[i] < promoteAfter {
		return false
	}
	w.list.setPage(w.snap.listed, a.start+uint64(i)*pageSize, a.content(i))
	w.snap.listed++
	a.slot[i] = int16(w.snap.listed)
	w.list.setPages(w.snap.listed)
	return true
}

// forgetList empties the list: its pages are written back by the host, once, and protected again.
func (w *Worker) forgetList() error {
	w.snap.since = 0
	var pages []uint64
	for n := range w.snap.listed {
		pages = append(pages, w.list.page(n))
	}
	slices.Sort(pages)
	var again []span
	for _, at := range pages {
		a := w.snap.find(at)
		if a == nil || !a.kept() {
			return retire(Kernel, "the list has %#x", at)
		}
		i := int((at - a.start) / pageSize)
		a.slot[i], a.heat[i] = 0, promoteAfter-2
		if err := w.put(a, i); err != nil {
			return err
		}
		again = joined(again, at)
	}
	w.snap.listed = 0
	w.list.setPages(0)
	if err := w.flush(); err != nil {
		return err
	}
	return w.protectAll(again)
}
