//go:build linux && amd64

package rollback

import (
	"context"
	"slices"
)

// Bounds on what the list learns.
const (
	// promoteAfter is how many rollbacks must write a page back until it is listed.
	promoteAfter = 2
	// relearnAfter is how many rollbacks a list serves: what calls write changes as V8 moves objects.
	relearnAfter = 1000
)

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

// forgetList empties the list: its pages are written back by the host, once, or dropped, and protected again.
func (w *Worker) forgetList(ctx context.Context) error {
	var pages []uint64
	for n := range w.snap.listed {
		pages = append(pages, w.list.page(n))
	}
	slices.Sort(pages)
	w.snap.since, w.snap.listed = 0, 0
	w.list.setPages(0)
	var done repaired
	for _, at := range pages {
		a := w.snap.find(at)
		if a == nil || !a.kept() {
			return retire(Kernel, "the list has %#x", at)
		}
		i := (at - a.start) / pageSize
		a.slot[i], a.heat[i] = 0, promoteAfter-2
	}
	for at := 0; at < len(pages); {
		a, first := w.snap.find(pages[at]), at
		for at++; at < len(pages) && pages[at] == pages[at-1]+pageSize && pages[at] < a.end; at++ {
		}
		drop, rest := w.dropped(a, span{pages[first], pages[at-1] + pageSize})
		done.drop = append(done.drop, drop...)
		for _, part := range rest {
			if err := w.putAll(a, part); err != nil {
				return err
			}
		}
		done.again = append(done.again, rest...)
	}
	return w.finish(ctx, &done)
}

// putAll is put for all pages of a part.
func (w *Worker) putAll(a *area, part span) error {
	for at := part.start; at < part.end; at += pageSize {
		if err := w.put(a, int((at-a.start)/pageSize)); err != nil {
			return err
		}
	}
	return nil
}
