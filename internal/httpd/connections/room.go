package connections

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// phase is what a connection is waiting for.
type phase int

const (
	idle    phase = iota // its caller: for a request, or for the rest of its headers
	waiting              // its caller: for the rest of a body, or to take a long answer
	busy                 // the server
	phases
)

// room is a number of places and who has them. It is guarded by its Port's mutex.
type room struct {
	limit   int // 0 for any number
	taken   int
	peers   map[netip.Prefix]*peer
	byCount map[int]map[*peer]struct{} // peers by how many places they have
}

// peer is an address that has places, with its connections in the order in which they came into their phase.
type peer struct {
	address netip.Prefix
	count   int
	phases  [phases]queue
}

func newRoom(limit int) *room {
	return &room{limit: limit, peers: map[netip.Prefix]*peer{}, byCount: map[int]map[*peer]struct{}{}}
}

func (r *room) full() bool { return r.limit > 0 && r.taken >= r.limit }

// count is how many places address has.
func (r *room) count(address netip.Prefix) int {
	if p := r.peers[address]; p != nil {
		return p.count
	}
	return 0
}

func (r *room) add(c *Conn) {
	p := r.peers[c.address]
	if p == nil {
		p = &peer{address: c.address}
		r.peers[c.address] = p
	}
	r.setCount(p, p.count+1)
	r.taken++
	c.room, c.peer = r, p
	p.phases[c.phase].push(c)
}

// remove takes c out of its room, if it is in any.
func (r *room) remove(c *Conn) {
	p := c.peer
	p.phases[c.phase].remove(c)
	c.room, c.peer = nil, nil
	places := 1 + c.streams.places
	c.streams.places = 0
	r.taken -= places
	if r.setCount(p, p.count-places); p.count == 0 {
		delete(r.peers, p.address)
	}
}

// widen gives c so many more places than it has, for its streams; fewer if by is below zero.
func (r *room) widen(c *Conn, by int) {
	c.streams.places += by
	r.taken += by
	r.setCount(c.peer, c.peer.count+by)
}

func (r *room) setCount(p *peer, count int) {
	if of := r.byCount[p.count]; of != nil {
		delete(of, p)
		if len(of) == 0 {
			delete(r.byCount, p.count)
		}
	}
	if p.count = count; count == 0 {
		return
	}
	if r.byCount[count] == nil {
		r.byCount[count] = map[*peer]struct{}{}
	}
	r.byCount[count][p] = struct{}{}
}

// move changes the phase of c.
func (r *room) move(c *Conn, to phase, now time.Time) {
	c.peer.phases[c.phase].remove(c)
	c.phase, c.since = to, now
	c.peer.phases[to].push(c)
}

// victim returns the connection that has been in the first of the given phases for longest, of a peer that has more
// places than least, and more than others if it can be; nil when there is none.
func (r *room) victim(least int, of ...phase) *Conn {
	// There are few different counts: their sum is at most the limit.
	for _, count := range slices.Backward(slices.Sorted(maps.Keys(r.byCount))) {
		if count <= least {
			return nil
		}
		for p := range r.byCount[count] {
			for _, ph := range of {
				if c := p.phases[ph].first; c != nil {
					return c
				}
			}
		}
	}
	return nil
}

// stale returns the connection of address that has been idle for longest, if that is longer than so; else nil.
func (r *room) stale(address netip.Prefix, longer time.Duration, now time.Time) *Conn {
	p := r.peers[address]
	if p == nil {
		return nil
	}
	if c := p.phases[idle].first; c != nil && now.Sub(c.since) > longer {
		return c
	}
	return nil
}

// queue is a list of connections, linked through themselves. The zero value is empty.
type queue struct{ first, last *Conn }

func (q *queue) push(c *Conn) {
	if c.before, c.after = q.last, nil; q.last == nil {
		q.first = c
	} else {
		q.last.after = c
	}
	q.last = c
}

func (q *queue) remove(c *Conn) {
	if c.before == nil {
		q.first = c.after
	} else {
		c.before.after = c.after
	}
	if c.after == nil {
		q.last = c.before
	} else {
		c.after.before = c.before
	}
	c.before, c.after = nil, nil
}
