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
// snapshot: every page, the mappings, the descriptors. It reads megabytes. Its error is a *RetireError.
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
		q := query{mask: isWritten, anyOf: isPresent | isSwapped}
		return w.expectNone(a, "a page that is not writable was written to", q)
	}
	seen := make([]bool, len(a.pages))
	err := w.eachContent(a, func(i int, content []byte) error {
		seen[i] = true
		return w.comparePage(a, i, content)
	})
	if err != nil {
		return err
	}
	for i, there := range seen {
		if !there && a.pages[i] != nil && *a.pages[i].content != zeros {
			return retire(Unproven, "page %#x is lost", a.start+uint64(i)*pageSize)
		}
	}
	return nil
}

// comparePage compares a page. What the stub's read puts into its own page is the next call's.
func (w *Worker) comparePage(a *area, i int, now []byte) error {
	want := a.content(i)
	if bytes.Equal(now, want) {
		return nil
	}
	for k := range now {
		if now[k] != want[k] {
			return retire(Unproven, "page %#x differs from byte %d on (%s)", a.start+uint64(i)*pageSize, k, a.describe(i))
		}
	}
	return nil
}

func (a *area) describe(i int) string {
	return fmt.Sprintf("state %d, listed %v, code %v", a.state[i], a.slot[i] > 0, a.jit)
}

func (w *Worker) expectNone(a *area, what string, q query) error {
	found, err := w.anyRegion(a.start, a.end, q)
	if err == nil && found {
		return retire(Unproven, "%s: %#x-%#x", what, a.start, a.end)
	}
	return err
}
