// Package fairroom has a room of limited size that groups share, such as memory that namespaces share.
package fairroom

import (
	"context"
	"slices"
	"sync"
)

// Room is taken in parts. Who finds too little free waits: the group that has least is served next, of those with the
// same the one that was served longest ago, and within a group who came first. A group has at most half of the room, so
// that one of others never waits for it alone. Use New. It is safe for concurrent use.
type Room struct {
	limit int64

	mu     sync.Mutex // guards the fields below
	used   int64
	turn   uint64            // counts parts that were taken, and groups that came
	groups map[string]*group // those that have some or wait
}

// group is one that has room or waits for it.
type group struct {
	has     int64
	turn    uint64 // when it was served last, or came
	waiting []*part
}

// part is room that somebody waits for, or has.
type part struct {
	size  int64
	taken chan struct{} // is closed once it is taken
}

// New returns a Room of that size, at least 2.
func New(limit int64) *Room { return &Room{limit: max(limit, 2), groups: map[string]*group{}} }

// Take takes so much room for a group, once that is free; more than half of the room counts as half. Give gives it
// back, and does nothing when it is called again. When ctx ends first, Take returns its cause.
func (r *Room) Take(ctx context.Context, name string, size int64) (give func(), err error) {
	p := r.join(name, min(max(size, 1), r.limit/2))
	select {
	case <-p.taken:
		return sync.OnceFunc(func() { r.give(name, p) }), nil
	case <-ctx.Done():
		r.leave(name, p)
		return nil, context.Cause(ctx)
	}
}

func (r *Room) join(name string, size int64) *part {
	p := &part{size: size, taken: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.groups[name]
	if g == nil {
		r.turn++
		g = &group{turn: r.turn} // after those that were served: nobody is first by coming anew
		r.groups[name] = g
	}
	g.waiting = append(g.waiting, p)
	r.serveLocked()
	return p
}

// give takes back what p has.
func (r *Room) give(name string, p *part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.giveLocked(name, p)
}

func (r *Room) giveLocked(name string, p *part) {
	r.used -= p.size
	r.groups[name].has -= p.size
	r.changedLocked(name)
}

// leave ends the waiting of p. What it was given meanwhile it gives back.
func (r *Room) leave(name string, p *part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-p.taken:
		r.giveLocked(name, p)
	default:
		g := r.groups[name]
		g.waiting = slices.DeleteFunc(g.waiting, func(other *part) bool { return other == p })
		r.changedLocked(name) // who came after p may fit
	}
}

// changedLocked forgets the group if it has nothing and waits for nothing, and serves those who fit now.
func (r *Room) changedLocked(name string) {
	if g := r.groups[name]; g.has == 0 && len(g.waiting) == 0 {
		delete(r.groups, name)
	}
	r.serveLocked()
}

// serveLocked gives room to those who wait, as long as there is enough for the next one. Others do not overtake that.
func (r *Room) serveLocked() {
	for {
		g := r.nextLocked()
		if g == nil || r.used+g.waiting[0].size > r.limit {
			return
		}
		p := g.waiting[0]
		g.waiting = g.waiting[1:]
		r.turn++
		r.used += p.size
		g.has, g.turn = g.has+p.size, r.turn
		close(p.taken)
	}
}

// nextLocked is the group that is served next; nil when none waits that may have more.
func (r *Room) nextLocked() (next *group) {
	for _, g := range r.groups {
		if len(g.waiting) == 0 || g.has+g.waiting[0].size > r.limit/2 {
			continue
		}
		if next == nil || g.has < next.has || g.has == next.has && g.turn < next.turn {
			next = g
		}
	}
	return next
}
