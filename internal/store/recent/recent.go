// Package recent has the records of calls whose callers have waited, for a store that one process has: their order is
// in memory, their texts are where it is told.
package recent

import (
	"strings"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Record is a record as it is saved.
type Record struct {
	ID   string
	Text []byte
}

// Keeper keeps the texts of records. Save keeps all changes or none. Text returns nil for a record that is not there;
// what it returns must not be changed.
type Keeper interface {
	Save(added []Record, dropped []string) error
	Text(id string) ([]byte, error)
}

// Records are the records. Use New. It is safe for concurrent use. It writes while it is locked: operations wait for
// each other.
type Records struct {
	keeper Keeper
	now    func() time.Time

	mu         sync.Mutex // guards the fields below
	entries    map[string]*entry
	functions  map[function.Ref]*btree.BTreeG[string]
	requests   map[request]string // the newest records by their request IDs
	namespaces map[string]*namespace
	oldest     *btree.BTreeG[moment] // of all namespaces
	bytes      int64
}

// entry is what is in memory of a record.
type entry struct {
	ref        function.Ref
	request    string
	status     queue.Status
	reason     string
	start, end time.Time
	bytes      int64
}

// request is a request for a function.
type request struct {
	ref function.Ref
	id  string
}

// namespace is there while it has records.
type namespace struct {
	oldest    *btree.BTreeG[moment]
	functions map[function.Ref]struct{} // those with records
	bytes     int64
}

// moment is a record and when its call has ended.
type moment struct {
	at time.Time
	id string
}

// New returns Records without any. Now tells the time; nil stands for time.Now.
func New(keeper Keeper, now func() time.Time) *Records {
	if now == nil {
		now = time.Now
	}
	return &Records{
		keeper: keeper, now: now, entries: map[string]*entry{}, functions: map[function.Ref]*btree.BTreeG[string]{},
		requests: map[request]string{}, namespaces: map[string]*namespace{}, oldest: newMoments(),
	}
}

// Load adds a record as it was saved. It is for the time before the first operation.
func (r *Records) Load(k *queue.Kept, text int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addLocked(k.ID, entryOf(k, text))
}

func entryOf(k *queue.Kept, text int) *entry {
	return &entry{
		ref: k.Ref, request: k.RequestID, status: k.Status, reason: k.Reason, start: k.Start, end: k.End,
		bytes: int64(text + queue.KeptOverhead),
	}
}

func (r *Records) addLocked(id string, e *entry) {
	r.entries[id] = e
	if r.functions[e.ref] == nil {
		less := func(a, b string) bool { return strings.Compare(a, b) < 0 }
		r.functions[e.ref] = btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})
	}
	r.functions[e.ref].Set(id)
	if named := (request{e.ref, e.request}); e.request != "" && r.requests[named] < id {
		r.requests[named] = id
	}
	ns := r.namespaces[e.ref.Namespace]
	if ns == nil {
		ns = &namespace{oldest: newMoments(), functions: map[function.Ref]struct{}{}}
		r.namespaces[e.ref.Namespace] = ns
	}
	ns.functions[e.ref] = struct{}{}
	ns.oldest.Set(moment{e.end, id})
	r.oldest.Set(moment{e.end, id})
	ns.bytes += e.bytes
	r.bytes += e.bytes
}

func (r *Records) removeLocked(id string) {
	e := r.entries[id]
	ns := r.namespaces[e.ref.Namespace]
	ns.oldest.Delete(moment{e.end, id})
	r.oldest.Delete(moment{e.end, id})
	ns.bytes -= e.bytes
	r.bytes -= e.bytes
	if ns.oldest.Len() == 0 {
		delete(r.namespaces, e.ref.Namespace)
	}
	if named := (request{e.ref, e.request}); r.requests[named] == id {
		delete(r.requests, named)
	}
	if r.functions[e.ref].Delete(id); r.functions[e.ref].Len() == 0 {
		delete(r.functions, e.ref)
		delete(ns.functions, e.ref)
	}
	delete(r.entries, id)
}

func newMoments() *btree.BTreeG[moment] {
	return btree.NewBTreeGOptions(func(a, b moment) bool {
		if c := a.at.Compare(b.at); c != 0 {
			return c < 0
		}
		return a.id < b.id
	}, btree.Options{NoLocks: true})
}
