package recent

import (
	"context"
	"maps"
	"slices"

	"github.com/backstage/functions/internal/queue"
)

// Append adds records and makes room: see store.Kept. When that cannot be saved, nothing has changed.
func (r *Records) Append(ctx context.Context, records []*queue.Kept, limits queue.KeptLimits) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	added := map[string]Record{}
	dropped := map[string]*entry{} // of those that were there before
	undo := func() {
		for id := range added {
			r.removeLocked(id)
		}
		for id, e := range dropped {
			r.addLocked(id, e)
		}
	}
	for _, k := range records {
		text, err := k.Record()
		if err != nil {
			undo()
			return err
		}
		if r.entries[k.ID] == nil {
			r.addLocked(k.ID, entryOf(k, len(text)))
			added[k.ID] = Record{k.ID, text}
		}
	}
	touched := r.touchedLocked(records)
	for id := r.excessLocked(touched, limits); id != ""; id = r.excessLocked(touched, limits) {
		if _, isNew := added[id]; isNew {
			delete(added, id)
		} else {
			dropped[id] = r.entries[id]
		}
		r.removeLocked(id)
	}
	if len(added)+len(dropped) == 0 {
		return nil
	}
	err := r.keeper.Save(slices.Collect(maps.Values(added)), slices.Collect(maps.Keys(dropped)))
	if err != nil {
		undo()
	}
	return err
}

// touchedLocked are the namespaces that may have too many records: those of records, or all without any.
func (r *Records) touchedLocked(records []*queue.Kept) []string {
	touched := map[string]bool{}
	for _, k := range records {
		touched[k.Ref.Namespace] = true
	}
	if len(records) > 0 {
		return slices.Collect(maps.Keys(touched))
	}
	return slices.Collect(maps.Keys(r.namespaces))
}

// excessLocked is a record that limits do not allow: the oldest of all, or one of a namespace with too many, or of the
// namespace that has the most bytes. It is empty if there is none.
func (r *Records) excessLocked(touched []string, limits queue.KeptLimits) (id string) {
	if first, ok := r.oldest.Min(); ok && !first.at.Add(limits.Age).After(r.now()) {
		return first.id
	}
	for _, name := range touched {
		if ns := r.namespaces[name]; ns != nil && ns.oldest.Len() > limits.Calls {
			return r.firstLocked(ns)
		}
	}
	if r.bytes <= limits.Bytes {
		return ""
	}
	var largest *namespace
	for _, ns := range r.namespaces {
		if largest == nil || ns.bytes > largest.bytes {
			largest = ns
		}
	}
	return r.firstLocked(largest)
}

// firstLocked is the record of ns that makes room: the oldest one of the function that has the most. So who has one
// function fail often, which may be public, pushes out no records of the others.
func (r *Records) firstLocked(ns *namespace) (id string) {
	most := 0
	for ref := range ns.functions {
		of := r.functions[ref]
		first, _ := of.Min()
		if n := of.Len(); n > most || n == most && first < id {
			most, id = n, first
		}
	}
	return id
}
