package sandbox

import (
	"slices"
	"time"
)

// waiter is a call that waits for a worker. Its fields are guarded by Pool.mu.
type waiter struct {
	group, key string
	cost       time.Duration // for how long the call is expected to hold a worker, at least
	ready      chan struct{} // closed when its turn has come, or will not come
	worker     *slot         // nil while it waits in the queue
	start      StartKind
	turn       turn
	alone      bool // it is not sent behind another call
	notBegun   bool // it was sent behind another call and will not be served there
	displaced  bool // it has lost its place in the full queue
}

// queue holds the waiting calls: groups take turns as far as they hold as many workers (shares.go), within a group the keys (functions) take
// turns, and calls of one key are served first come, first served. The zero value is empty. Its user locks.
type queue struct {
	groups turns[*groupQueue]
	keys   map[string]int // number of waiters of each key
	line                  // all of them
}

type groupQueue struct {
	functions turns[*keyQueue]
	line
}

type keyQueue struct {
	waiters []*waiter
	line
}

// line counts waiters and adds up their costs.
type line struct {
	n    int
	cost time.Duration
}

func (l *line) add(w *waiter)    { l.n, l.cost = l.n+1, l.cost+w.cost }
func (l *line) remove(w *waiter) { l.n, l.cost = l.n-1, l.cost-w.cost }

// turns is a set of named members that take turns.
type turns[T any] struct {
	order   []string // the next one first
	members map[string]T
}

func (t *turns[T]) get(name string, create func() T) T {
	member, ok := t.members[name]
	if !ok {
		if t.members == nil {
			t.members = map[string]T{}
		}
		member = create()
		t.members[name] = member
		t.order = append(t.order, name)
	}
	return member
}

// rotate ends the turn of name, if it is the next one's.
func (t *turns[T]) rotate(name string) {
	if len(t.order) > 1 && t.order[0] == name {
		t.order = append(t.order[1:], name)
	}
}

// toEnd makes name the last.
func (t *turns[T]) toEnd(name string) {
	if i := slices.Index(t.order, name); i >= 0 {
		t.order = append(slices.Delete(t.order, i, i+1), name)
	}
}

func (t *turns[T]) drop(name string) {
	delete(t.members, name)
	t.order = slices.DeleteFunc(t.order, func(other string) bool { return other == name })
}

func (q *queue) len() int { return q.n }

// has says whether a call of key waits.
func (q *queue) has(key string) bool { return q.keys[key] > 0 }

func (q *queue) push(w *waiter) { q.insert(w, false) }

// pushFirst lets w wait before all others of its key.
func (q *queue) pushFirst(w *waiter) { q.insert(w, true) }

func (q *queue) insert(w *waiter, first bool) {
	group, key := w.group, w.key
	g := q.groups.get(group, func() *groupQueue { return &groupQueue{} })
	f := g.functions.get(key, func() *keyQueue { return &keyQueue{} })
	at := len(f.waiters)
	if first {
		at = 0
	}
	f.waiters = slices.Insert(f.waiters, at, w)
	f.add(w)
	g.add(w)
	q.add(w)
	if q.keys == nil {
		q.keys = map[string]int{}
	}
	q.keys[key]++
}

// next returns the waiter of the group whose turn it is, those left aside whose key is not wanted; nil when there is no other.
func (g *groupQueue) next(wanted func(key string) bool) *waiter {
	for _, key := range g.functions.order {
		if wanted(key) {
			return g.functions.members[key].waiters[0]
		}
	}
	return nil
}

// last returns the waiter that came last to the function with the most of them.
func (g *groupQueue) last() *waiter {
	var longest *keyQueue
	for _, key := range g.functions.order {
		if f := g.functions.members[key]; longest == nil || f.n >= longest.n {
			longest = f
		}
	}
	return longest.waiters[longest.n-1]
}

// take removes w, whose turn it was.
func (q *queue) take(w *waiter) {
	q.drop(w)
	if g, ok := q.groups.members[w.group]; ok {
		g.functions.toEnd(w.key)
	}
	q.groups.toEnd(w.group)
}

// takeKey removes and returns the first waiter of key, which must be there. It ends the turn of its group, if it had it.
func (q *queue) takeKey(key string) *waiter {
	for _, name := range q.groups.order {
		g := q.groups.members[name]
		if f, ok := g.functions.members[key]; ok {
			w := f.waiters[0]
			q.drop(w)
			g.functions.rotate(key)
			q.groups.rotate(name)
			return w
		}
	}
	return nil
}

// peekKey returns the first waiter of key and group, nil when there is none.
func (q *queue) peekKey(group, key string) *waiter {
	if g, ok := q.groups.members[group]; ok {
		if f, ok := g.functions.members[key]; ok {
			return f.waiters[0]
		}
	}
	return nil
}

// drop removes w if it still waits.
func (q *queue) drop(w *waiter) {
	g, ok := q.groups.members[w.group]
	if !ok {
		return
	}
	f, ok := g.functions.members[w.key]
	if !ok {
		return
	}
	i := slices.Index(f.waiters, w)
	if i < 0 {
		return
	}
	f.waiters = slices.Delete(f.waiters, i, i+1)
	f.remove(w)
	g.remove(w)
	q.remove(w)
	if q.keys[w.key]--; q.keys[w.key] == 0 {
		delete(q.keys, w.key)
	}
	if f.n == 0 {
		g.functions.drop(w.key)
	}
	if g.n == 0 {
		q.groups.drop(w.group)
	}
}
