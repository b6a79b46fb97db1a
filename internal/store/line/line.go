// Package line is the queue of a store that one process has: records and their order in memory, texts where it is told.
package line

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Change is what became of one call. A nil Call says that its record is gone.
type Change struct {
	ID   string
	Call *queue.Call
	// Payload and Result are written when they are not nil. The others stay, unless NoPayload or NoResult is set.
	Payload, Result     []byte
	NoPayload, NoResult bool
	// OfCallback says that the record is that of the callback of the call, which has no texts.
	OfCallback bool
}

// Keeper keeps what a Line does not have in memory. Save keeps all changes or none, and does not change what it is
// given. It must be safe for concurrent use.
type Keeper interface {
	Save(changes []Change) error
	// Payload and Result return those of a call, nil for none. Nobody changes what they return.
	Payload(id string) ([]byte, error)
	Result(id string) ([]byte, error)
}

// Line is a queue. Use New. It is safe for concurrent use. It writes while it is locked: reads wait for that, and
// operations that wait meanwhile are written together.
type Line struct {
	keeper Keeper
	now    func() time.Time
	jobs   jobs
	writer chan struct{} // has a token while a batch is written

	mu                   sync.Mutex // guards the fields below
	*order                          // the one that is worked on: ofCalls, but within inCallbacks
	ofCalls, ofCallbacks *order     // these two stay as they are
	seen                 time.Time  // when the last change was
}

// order has the records of calls, or of callbacks, each where it belongs.
type order struct {
	calls      map[string]*queue.Call
	texts      map[string]texts // of the calls, by ID
	functions  map[function.Ref]*btree.BTreeG[string]
	namespaces map[string]*namespace
	waiting    *btree.BTreeG[moment] // queued calls by when they are due
	leases     *btree.BTreeG[moment] // running calls by when their lease ends
	expiring   *btree.BTreeG[moment] // settled calls by when they expire
	keyed      *btree.BTreeG[moment] // settled calls that may make room later, by when
	holders    holders
	turns      turns
	dead       int64
	has        amount   // all calls
	spare      amount   // of has, those that may make room
	turn       uint64   // counts takes
	emptied    []string // namespaces that may have no calls any more
}

// moment is a call and a time of it.
type moment struct {
	at time.Time
	id string
}

func newMoments() *btree.BTreeG[moment] {
	return btree.NewBTreeGOptions(func(a, b moment) bool {
		if c := a.at.Compare(b.at); c != 0 {
			return c < 0
		}
		return a.id < b.id
	}, btree.Options{NoLocks: true})
}

func newIDs() *btree.BTreeG[string] {
	less := func(a, b string) bool { return strings.Compare(a, b) < 0 }
	return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})
}

// New returns a Line without calls. Now tells the time; nil stands for time.Now.
func New(keeper Keeper, now func() time.Time) *Line {
	if now == nil {
		now = time.Now
	}
	calls := newOrder()
	return &Line{
		keeper: keeper, now: now, writer: make(chan struct{}, 1), order: calls, ofCalls: calls, ofCallbacks: newOrder(),
	}
}

func newOrder() *order {
	return &order{
		calls: map[string]*queue.Call{}, texts: map[string]texts{}, functions: map[function.Ref]*btree.BTreeG[string]{},
		namespaces: map[string]*namespace{}, waiting: newMoments(), leases: newMoments(), expiring: newMoments(),
		keyed: newMoments(), holders: newHolders(), turns: newTurns(),
	}
}

// Load adds a call as it was saved, with how long its payload and its result are. It is for the time before the first
// operation. A running call keeps its lease: its worker may have outlived the process that started it.
func (l *Line) Load(c *queue.Call, payload, result int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addLocked(c, texts{int64(payload), int64(result)})
}

// LoadCallback is Load for the callback of a call.
func (l *Line) LoadCallback(c *queue.Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.inCallbacks(func() error { l.addLocked(c, texts{}); return nil })
}

// texts are how long those of a call are.
type texts struct{ payload, result int64 }

// size is what a call counts as.
func (t texts) size(c *queue.Call) int64 {
	n := t.payload + t.result +
		int64(queue.Overhead+len(c.URI)+len(c.Ref.ID)+len(c.Ref.Namespace)+len(c.Key)+c.StepBytes())
	if c.CallTo.URL != "" { // the record of its callback
		n += int64(queue.Overhead + len(c.CallTo.URL) + len(c.CallTo.Secret))
	}
	for _, a := range c.History {
		n += int64(len(a.Detail))
	}
	return n
}

// addLocked puts a call into the order.
func (l *Line) addLocked(c *queue.Call, t texts) {
	l.calls[c.ID], l.texts[c.ID] = c, t
	if !c.Held {
		l.listLocked(c)
	}
	ns := l.namespaceLocked(c.Ref.Namespace)
	ns.has.add(1, t.size(c))
	l.has.add(1, t.size(c))
	if c.Key != "" {
		if held := l.calls[ns.keys[c.Key]]; held == nil || held.Created.Before(c.Created) {
			ns.keys[c.Key] = c.ID
		}
	}
	switch {
	case c.Held: // nobody takes it
	case c.Status == queue.Queued:
		ns.due.Set(moment{c.Due, c.ID})
		l.waiting.Set(moment{c.Due, c.ID})
	case c.Status == queue.Running:
		ns.held++
		l.leases.Set(moment{c.Lease, c.ID})
	case c.Status == queue.Dead:
		l.dead++
	}
	if l.leaves(c) {
		l.expiring.Set(moment{c.Expires, c.ID})
		if makesRoom(c) {
			l.offerLocked(ns, c)
		}
	}
	l.holders.rank(ns)
	l.placeLocked(ns)
}

// listLocked puts a call among those of its function.
func (l *Line) listLocked(c *queue.Call) {
	if l.functions[c.Ref] == nil {
		l.functions[c.Ref] = newIDs()
	}
	l.functions[c.Ref].Set(c.ID)
}

// foundLocked is the call of a function that has that ID; nil for none.
func (l *Line) foundLocked(ref function.Ref, id string) *queue.Call {
	if c := l.calls[id]; c != nil && c.Ref == ref && !c.Held {
		return c
	}
	return nil
}

// removeLocked takes a call out of the order.
func (l *Line) removeLocked(id string) {
	c := l.calls[id]
	ns := l.namespaceLocked(c.Ref.Namespace)
	size := l.texts[id].size(c)
	l.has.add(-1, -size)
	if ns.has.add(-1, -size); ns.has.calls == 0 {
		l.emptied = append(l.emptied, c.Ref.Namespace)
	}
	if ns.keys[c.Key] == id {
		delete(ns.keys, c.Key)
	}
	switch {
	case c.Held:
	case c.Status == queue.Queued:
		ns.due.Delete(moment{c.Due, id})
		l.waiting.Delete(moment{c.Due, id})
	case c.Status == queue.Running:
		ns.held--
		l.leases.Delete(moment{c.Lease, id})
	case c.Status == queue.Dead:
		l.dead--
	}
	if l.leaves(c) {
		l.expiring.Delete(moment{c.Expires, id})
		if makesRoom(c) {
			l.retractLocked(ns, c)
		}
	}
	l.holders.rank(ns)
	l.placeLocked(ns)
	if !c.Held {
		if l.functions[c.Ref].Delete(id); l.functions[c.Ref].Len() == 0 {
			delete(l.functions, c.Ref)
		}
	}
	delete(l.calls, id)
	delete(l.texts, id)
}

// ended returns the cause of a context that has ended.
func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
