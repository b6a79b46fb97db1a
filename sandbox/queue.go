package sandbox

import (
	"slices"
	"time"
)

// quantum is how long a function may keep a worker while others wait and no slot is free.
const quantum = 50 * time.Millisecond

// queue holds the waiting calls: round robin between groups that have as many workers (shares.go), round robin between
// the keys (functions) of a group, and first come, first served within a key. The zero value is empty. Its user locks.
type queue struct {
	groups roundRobin[*groupQueue]
	keys   map[string]int // number of calls of each key
	line                  // all of them
}

type groupQueue struct {
	functions roundRobin[*keyQueue]
	line
}

type keyQueue struct {
	calls []*call
	line
}

// line counts calls and adds up their costs.
type line struct {
	n    int
	cost time.Duration
}

func (l *line) add(c *call)    { l.n, l.cost = l.n+1, l.cost+c.cost }
func (l *line) remove(c *call) { l.n, l.cost = l.n-1, l.cost-c.cost }

// roundRobin is a set of named members that are served in turn.
type roundRobin[T any] struct {
	order   []string // the next one first
	members map[string]T
}

func (t *roundRobin[T]) get(name string, newMember func() T) T {
	member, ok := t.members[name]
	if !ok {
		if t.members == nil {
			t.members = map[string]T{}
		}
		member = newMember()
		t.members[name] = member
		t.order = append(t.order, name)
	}
	return member
}

// rotate ends the turn of name, if it is the next one's.
func (t *roundRobin[T]) rotate(name string) {
	if len(t.order) > 1 && t.order[0] == name {
		t.order = append(t.order[1:], name)
	}
}

// toEnd makes name the last.
func (t *roundRobin[T]) toEnd(name string) {
	if i := slices.Index(t.order, name); i >= 0 {
		t.order = append(slices.Delete(t.order, i, i+1), name)
	}
}

func (t *roundRobin[T]) drop(name string) {
	delete(t.members, name)
	t.order = slices.DeleteFunc(t.order, func(other string) bool { return other == name })
}

func (q *queue) len() int { return q.n }

// has says whether a call of key waits.
func (q *queue) has(key string) bool { return q.keys[key] > 0 }

func (q *queue) push(c *call) { q.insert(c, false) }

// pushFirst lets c wait before all others of its key.
func (q *queue) pushFirst(c *call) { q.insert(c, true) }

func (q *queue) insert(c *call, first bool) {
	group, key := c.group, c.key
	g := q.groups.get(group, func() *groupQueue { return &groupQueue{} })
	f := g.functions.get(key, func() *keyQueue { return &keyQueue{} })
	at := len(f.calls)
	if first {
		at = 0
	}
	f.calls = slices.Insert(f.calls, at, c)
	f.add(c)
	g.add(c)
	q.add(c)
	if q.keys == nil {
		q.keys = map[string]int{}
	}
	q.keys[key]++
}

// next returns the call of the group that is the next to be served, those left aside whose key is not wanted; nil when
// there is no other.
func (g *groupQueue) next(wanted func(key string) bool) *call {
	for _, key := range g.functions.order {
		if wanted(key) {
			return g.functions.members[key].calls[0]
		}
	}
	return nil
}

// last returns the call that came last to the function with the most of them.
func (g *groupQueue) last() *call {
	var longest *keyQueue
	for _, key := range g.functions.order {
		if f := g.functions.members[key]; longest == nil || f.n >= longest.n {
			longest = f
		}
	}
	return longest.calls[longest.n-1]
}

// take removes c, which is served in its turn.
func (q *queue) take(c *call) {
	q.drop(c)
	if g, ok := q.groups.members[c.group]; ok {
		g.functions.toEnd(c.key)
	}
	q.groups.toEnd(c.group)
}

// takeKey removes and returns the first call of key, which must be there. It ends the turn of its group, if it had it.
func (q *queue) takeKey(key string) *call {
	for _, name := range q.groups.order {
		g := q.groups.members[name]
		if f, ok := g.functions.members[key]; ok {
			c := f.calls[0]
			q.drop(c)
			g.functions.rotate(key)
			q.groups.rotate(name)
			return c
		}
	}
	return nil
}

// peekKey returns the first call of key and group, nil when there is none.
func (q *queue) peekKey(group, key string) *call {
	if g, ok := q.groups.members[group]; ok {
		if f, ok := g.functions.members[key]; ok {
			return f.calls[0]
		}
	}
	return nil
}

// drop removes c if it still waits.
func (q *queue) drop(c *call) {
	g, ok := q.groups.members[c.group]
	if !ok {
		return
	}
	f, ok := g.functions.members[c.key]
	if !ok {
		return
	}
	i := slices.Index(f.calls, c)
	if i < 0 {
		return
	}
	f.calls = slices.Delete(f.calls, i, i+1)
	f.remove(c)
	g.remove(c)
	q.remove(c)
	if q.keys[c.key]--; q.keys[c.key] == 0 {
		delete(q.keys, c.key)
	}
	if f.n == 0 {
		g.functions.drop(c.key)
	}
	if g.n == 0 {
		q.groups.drop(c.group)
	}
}
