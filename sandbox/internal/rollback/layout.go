//go:build linux && amd64

package rollback

import (
	"context"
	"math"
	"slices"

	"golang.org/x/sys/unix"
)

// span is a range of addresses.
type span struct{ start, end uint64 }

// restoreLayout brings the mappings back to those of the snapshot and returns the ranges that were mapped anew: these
// are empty and not protected.
func (w *Worker) restoreLayout(ctx context.Context) ([]span, error) {
	now, err := w.proc.mappings()
	if err != nil {
		return nil, retire(Kernel, "%v", err)
	}
	strangers, err := w.strangers()
	if err != nil {
		return nil, err
	}
	r := &repair{snap: w.snap.areas, now: now, strangers: strangers}
	if w.now.taint&taintBreak != 0 {
		r.ops = append(r.ops, call(unix.SYS_BRK, w.snap.heapEnd))
	}
	if err := r.plan(); err != nil {
		return nil, err
	}
	if len(r.ops) > 0 {
		w.Stats.Layouts++
	}
	if err := w.run(ctx, r.ops); err != nil {
		return nil, err
	}
	for _, fresh := range r.fresh {
		if err := uffdTrack(w.uffd, fresh.start, fresh.end); err != nil {
			return nil, retire(Kernel, "userfaultfd: tracking %#x-%#x anew: %v", fresh.start, fresh.end, err)
		}
	}
	if now, err = w.proc.mappings(); err != nil {
		return nil, retire(Kernel, "%v", err)
	}
	if at, same := sameLayout(w.snap.areas, now); !same {
		return nil, retire(Mapping, "the mappings at %#x did not become those of the snapshot", at)
	}
	if !slices.Equal(w.snap.bounds, boundsOf(now)) {
		return nil, retire(Mapping, "mappings are in other pieces than those of the snapshot")
	}
	return r.fresh, nil
}

// strangers are the ranges of mappings that are not those of the snapshot, however alike: those that are not tracked,
// and those without access that hold something all the same.
func (w *Worker) strangers() (all []span, err error) {
	areas := w.snap.areas
	first, last := areas[0].start, areas[len(areas)-1].end
	add := func(start, end uint64) error {
		all = append(all, span{start, end})
		return nil
	}
	if err := w.eachRegion(first, last, query{mask: isTracked, inverted: isTracked}, add); err != nil {
		return nil, err
	}
	for i := range areas {
		a := &areas[i]
		if a.fixed || a.prot != 0 || !a.anonymous() {
			continue
		}
		hidden, err := w.anyRegion(a.start, a.end, query{anyOf: isPresent | isSwapped})
		if err != nil {
			return nil, err
		}
		if hidden {
			all = append(all, span{a.start, a.end})
		}
	}
	return all, nil
}

// repair walks two lists of mappings, that of the snapshot and that of now, by all of their bounds, and finds the
// system calls that make the one of the other.
type repair struct {
	snap      []area
	now       []mapping
	strangers []span

	ops   []op
	fresh []span
}

const mapFixed = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED | unix.MAP_NORESERVE

func (r *repair) plan() error {
	for i, j, at := 0, 0, uint64(0); i < len(r.snap) || j < len(r.now); {
		var was *area
		var is *mapping
		wasAt, isAt := uint64(math.MaxUint64), uint64(math.MaxUint64)
		if i < len(r.snap) {
			was = &r.snap[i]
			wasAt = max(was.start, at)
		}
		if j < len(r.now) {
			is = &r.now[j]
			isAt = max(is.start, at)
		}
		var err error
		switch {
		case wasAt < isAt:
			at, err = r.missing(was, span{wasAt, min(was.end, isAt)})
		case isAt < wasAt:
			at, err = r.added(is, span{isAt, min(is.end, wasAt)})
		default:
			at, err = r.both(was, is, span{wasAt, min(was.end, is.end)})
		}
		if err != nil {
			return err
		}
		if was != nil && at >= was.end {
			i++
		}
		if is != nil && at >= is.end {
			j++
		}
	}
	return nil
}

// mapAnew makes part of an area anew; the content follows.
func (r *repair) mapAnew(was *area, part span) (uint64, error) {
	if !was.anonymous() {
		return 0, retire(Fixed, "what was mapped at %#x is gone", part.start)
	}
	r.ops = append(r.ops, call(unix.SYS_MMAP, part.start, part.end-part.start, uint64(was.prot), mapFixed, math.MaxUint64))
	r.fresh = append(r.fresh, part)
	return part.end, nil
}

func (r *repair) missing(was *area, part span) (uint64, error) { return r.mapAnew(was, part) }

func (r *repair) added(is *mapping, part span) (uint64, error) {
	if is.fixed {
		return 0, retire(Fixed, "there is a mapping of the kernel, or a shared one, at %#x", part.start)
	}
	r.ops = append(r.ops, call(unix.SYS_MUNMAP, part.start, part.end-part.start))
	return part.end, nil
}

func (r *repair) both(was *area, is *mapping, part span) (uint64, error) {
	if !was.fixed {
		strange, end := r.isStrange(part)
		part.end = end
		if strange {
			return r.mapAnew(was, part)
		}
	}
	if !was.sameKind(is) {
		return 0, retire(Mapping, "there is another mapping at %#x", part.start)
	}
	if was.prot != is.prot {
		if was.fixed {
			return 0, retire(Fixed, "the access to %#x has changed", part.start)
		}
		r.ops = append(r.ops, call(unix.SYS_MPROTECT, part.start, part.end-part.start, uint64(was.prot)))
	}
	return part.end, nil
}

// isStrange says whether the start of part is in a stranger, and where in part that changes.
func (r *repair) isStrange(part span) (strange bool, end uint64) {
	end = part.end
	for _, s := range r.strangers {
		switch {
		case part.start >= s.start && part.start < s.end:
			return true, min(end, s.end)
		case s.start > part.start:
			end = min(end, s.start)
		}
	}
	return false, end
}

// boundsOf are where mappings begin and end. In how many pieces the kernel has what is alike can tell of an earlier
// call: at how many of them it makes no more.
func boundsOf(mappings []mapping) []span {
	all := make([]span, len(mappings))
	for i := range mappings {
		all[i] = span{mappings[i].start, mappings[i].end}
	}
	return all
}

// sameLayout says whether mappings lead to the same as those of a snapshot, in whatever pieces, or where they do not.
func sameLayout(areas []area, now []mapping) (at uint64, same bool) {
	for i, j := 0, 0; i < len(areas) || j < len(now); {
		if i == len(areas) || j == len(now) {
			return at, false
		}
		was, is := &areas[i], &now[j]
		start := max(was.start, at)
		if start != max(is.start, at) || !was.sameKind(is) || was.prot != is.prot {
			return min(start, max(is.start, at)), false
		}
		if at = min(was.end, is.end); at >= was.end {
			i++
		}
		if at >= is.end {
			j++
		}
	}
	return at, true
}
