//go:build linux && amd64

package rollback

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// Compare compares all of a worker that was rolled back and released, and that has not been sent a call since, with its
// snapshot: every page, the mappings, the descriptors. It reads megabytes, and rests on nothing that a rollback rests
// on: of scans it asks what is in memory, and what was written to of constant pages alone that are in swap; of
// notifications it asks nothing. Its error is a *RetireError.
func (w *Worker) Compare(ctx context.Context) error {
	if err := w.awaitReading(ctx); err != nil {
		return err
	}
	now, err := w.proc.mappings()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	if at, same := sameLayout(w.snap.areas, now); !same {
		return retire(Unproven, "the mappings at %#x differ", at)
	}
	if !slices.Equal(w.snap.bounds, boundsOf(now)) {
		return retire(Unproven, "the mappings are in other pieces")
	}
	files, err := readFiles(w.pid)
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	if !slices.Equal(files, w.snap.files) {
		return retire(Unproven, "a descriptor differs: %s", differentFile(files, w.snap.files))
	}
	state, err := w.proc.state()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	if state != w.snap.state {
		return retire(Unproven, "the state differs: %s", firstDifference(state, w.snap.state))
	}
	for i := range w.snap.areas {
		if err := w.compareArea(&w.snap.areas[i]); err != nil {
			return err
		}
	}
	return nil
}

// awaitReading waits until the stub has copied the pages of the list and reads: proc(5), /proc/PID/syscall. That takes
// microseconds where the worker has a processor.
func (w *Worker) awaitReading(ctx context.Context) error {
	want := " 0x" + strconv.FormatUint(w.reading, 16)
	for tries := 0; ; tries++ {
		text, err := w.proc.read("syscall")
		if err != nil {
			return retire(Kernel, "%v", err)
		}
		text = bytes.TrimSpace(text)
		if bytes.HasPrefix(text, []byte("0 ")) && bytes.HasSuffix(text, []byte(want)) {
			return nil
		}
		if ctx.Err() != nil {
			return retire(NoPark, "the worker does not read: %v", context.Cause(ctx))
		}
		if tries < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(time.Millisecond)
		}
	}
}

// compareArea compares the contents of an area.
func (w *Worker) compareArea(a *area) error {
	switch {
	case a.fixed:
		return nil
	case a.prot == 0:
		return w.expectNone(a, "content where there is no access", query{anyOf: isPresent | isSwapped})
	case !a.kept():
		return w.compareConstant(a)
	default:
		return w.comparePages(a)
	}
}

// comparePages compares the pages of an area that is put back: it reads all that can hold anything but zeros, and what
// is not there, or the page of zeros, must have been zeros.
func (w *Worker) comparePages(a *area) error {
	next := 0
	err := w.eachHeld(a, func(start, end uint64) error {
		first := a.page(start)
		if err := a.expectZeros(next, first); err != nil {
			return err
		}
		next = a.page(end)
		return w.eachPage(a, start, end, a.compare)
	})
	if err != nil {
		return err
	}
	return a.expectZeros(next, len(a.pages))
}

// eachHeld calls do for the pages of an area that can hold anything but zeros: those that are in memory, but for the
// page of zeros, or in swap. What is protected and not there counts as in swap until it has been read once: then it is
// the page of zeros. Of a file all pages can.
func (w *Worker) eachHeld(a *area, do func(start, end uint64) error) error {
	if a.inode != 0 {
		return do(a.start, a.end)
	}
	return w.walk(scan, a.start, a.end, heldPages, do)
}

var heldPages = query{mask: isZeros, inverted: isZeros, anyOf: isPresent | isSwapped}

// compare compares page i, which holds now. What the stub's read puts into its own page is the next call's.
func (a *area) compare(i int, now []byte) error {
	want := a.content(i)
	if bytes.Equal(now, want) {
		return nil
	}
	k := 0
	for now[k] == want[k] {
		k++
	}
	return retire(Unproven, "page %#x differs from byte %d on (%s)", a.address(i), k, a.describe(i))
}

// expectZeros fails unless the pages from first to last are to be zeros, as they are.
func (a *area) expectZeros(first, last int) error {
	for i := first; i < last && a.pages != nil; i++ {
		if p := a.pages[i]; p != nil && *p.content != zeros {
			return retire(Unproven, "page %#x is lost", a.address(i))
		}
	}
	return nil
}

func (a *area) describe(i int) string {
	a.note()
	return fmt.Sprintf("state %d, listed %v, code %v", a.state[i], a.slot[i] > 0, a.jit)
}

func (w *Worker) expectNone(a *area, what string, q query) error {
	return w.walk(scan, a.start, a.end, q, func(start, end uint64) error {
		return retire(Unproven, "%s: %#x-%#x", what, start, end)
	})
}
