//go:build linux && amd64

package rollback

import (
	"context"

	"golang.org/x/sys/unix"
)

// Memory that a call was the first to use is given back to the kernel, where it is much in a row:
//
//	snapshot   absent
//	call       written to: the kernel gives pages
//	rollback   the stub has them dropped (MADV_DONTNEED), and a scan sees that they are gone; then they are protected
//	next call  reads zeros, as in the snapshot
//
// Pages that one call after the other uses are zeroed instead: to have them anew costs the call a fault for each.

// dropFrom is how many pages in a row are dropped. Fewer are zeroed: each row takes the stub a system call, of which
// the host is told.
const dropFrom = 16

// dropped takes the rows of pages out of a part that are to be dropped, and returns the other pages. All of part that
// was absent in the snapshot, and is in memory, has been noted.
func (w *Worker) dropped(a *area, part span) (drop, rest []span) {
	for at := part.start; at < part.end; {
		first := at
		for at < part.end && a.mayDrop(at, w.snap.listed == maxListed) {
			at += pageSize
		}
		switch {
		case at == first:
			at += pageSize
			rest = joined(rest, first)
		case at-first < dropFrom*pageSize:
			rest = append(rest, span{first, at})
		default:
			drop = append(drop, span{first, at})
		}
	}
	return drop, rest
}

// mayDrop says whether the page at an address may be dropped: it was absent, and either it was used for the first time
// of late, or there is no place on the list for it.
func (a *area) mayDrop(at uint64, full bool) bool {
	i := (at - a.start) / pageSize
	return a.state[i] == isZeroed && !a.jit && a.slot[i] == 0 && (a.heat[i] == 0 || full)
}

// drop gives rows of pages back to the kernel. They are not protected then.
func (w *Worker) drop(ctx context.Context, rows []span) error {
	if len(rows) == 0 {
		return nil
	}
	ops := make([]op, 0, len(rows))
	for _, row := range rows {
		ops = append(ops, call(unix.SYS_MADVISE, row.start, row.end-row.start, unix.MADV_DONTNEED))
	}
	if err := w.run(ctx, ops); err != nil {
		return err
	}
	for _, row := range rows {
		left, err := w.anyRegion(row.start, row.end, query{anyOf: isPresent | isSwapped})
		if err != nil {
			return err
		}
		if left {
			return retire(Pages, "%#x-%#x was not dropped", row.start, row.end)
		}
		a := w.snap.find(row.start)
		for at := row.start; at < row.end; at += pageSize {
			i := (at - a.start) / pageSize
			a.state[i], a.heat[i] = wasAbsent, 1
			w.Stats.Dropped++
		}
	}
	return nil
}
