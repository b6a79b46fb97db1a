//go:build linux && amd64

package rollback

import "context"

// writeBack looks for all that was written to, writes it back and protects it again, or puts it on the list, or drops
// it.
func (w *Worker) writeBack(ctx context.Context) error {
	w.Stats.Scans++
	var written []span
	for _, s := range w.snap.spans {
		q := query{flags: scanCheckAsync, mask: isWritten}
		if s.hollow {
			q = newPages
		}
		err := w.eachRegion(s.start, s.end, q, func(start, end uint64) error {
			written = append(written, span{start, end})
			return nil
		})
		if err != nil {
			return err
		}
	}
	var done repaired
	for _, s := range written {
		if err := w.writeBackRegion(s.start, s.end, &done); err != nil {
			return err
		}
	}
	return w.finish(ctx, &done)
}

// repaired are pages whose content is that of the snapshot, or will be when they are finished.
type repaired struct {
	again []span // to be protected
	drop  []span // to be dropped, and protected where they were
}

// finish has what was put written, drops, and protects again.
func (w *Worker) finish(ctx context.Context, done *repaired) error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.drop(ctx, done.drop); err != nil {
		return err
	}
	again := done.again
	for _, row := range done.drop {
		if !w.snap.find(row.start).hollow {
			again = append(again, row)
		}
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
func (w *Worker) writeBackRegion(start, end uint64, done *repaired) error {
	for start < end {
		a := w.snap.find(start)
		if a == nil {
			return retire(Pages, "%#x was written to and is not mapped", start)
		}
		part := span{start, min(end, a.end)}
		start = part.end
		switch {
		case a.prot == 0: // whatever is there was looked for when the mappings were restored
		case !a.kept():
			return retire(Fixed, "%#x was written to, which is not writable", part.start)
		default:
			a.note()
			if err := w.findZeroed(a, part); err != nil {
				return err
			}
			drop, rest := w.dropped(a, part)
			done.drop = append(done.drop, drop...)
			for _, part := range rest {
				if err := w.writeBackPart(a, part, done); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// writeBackPart is writeBack for pages of one area, of which none are dropped.
func (w *Worker) writeBackPart(a *area, part span, done *repaired) error {
	for at := part.start; at < part.end; at += pageSize {
		i := int((at - a.start) / pageSize)
		if a.state[i] == wasAbsent { // it was dropped again: it reads as zeros
			done.again = joined(done.again, at)
			continue
		}
		w.Stats.Pages++
		if w.listPage(a, i) {
			continue
		}
		if err := w.put(a, i); err != nil {
			return err
		}
		done.again = joined(done.again, at)
	}
	return nil
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
