package connections

import (
	"net/http"
	"net/netip"
	"sync"
)

// share is how many times the memory that stays free one address may hold: four fifths of all while nobody else wants
// any, and the next address still finds a part of what is left.
const share = 4

// Bodies bounds the memory for what callers send. It is safe for concurrent use; nil bounds nothing.
type Bodies struct {
	limit int64

	mu      sync.Mutex // guards the fields below
	used    int64
	refused uint64
	peers   map[netip.Prefix]int64
}

// NewBodies returns Bodies of at most limit bytes.
func NewBodies(limit int64) *Bodies { return &Bodies{limit: limit, peers: map[netip.Prefix]int64{}} }

// MemoryStats is the state of Bodies or Answers, in bytes, and how often there was not enough.
type MemoryStats struct {
	Used, Limit int64
	Refused     uint64
}

// Stats returns the state.
func (b *Bodies) Stats() MemoryStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return MemoryStats{b.used, b.limit, b.refused}
}

// Grow asks for so many bytes for the body of r, to be had until r was answered, and says whether they may be used.
func Grow(r *http.Request, bytes int) bool {
	q := requestOf(r)
	return q == nil || q.conn.port.Bodies.take(q, bytes)
}

func (b *Bodies) take(q *request, bytes int) bool {
	if b == nil {
		return true
	}
	n := int64(bytes)
	b.mu.Lock()
	defer b.mu.Unlock()
	free := b.limit - b.used - n
	if free < 0 || b.peers[q.conn.address]+n > share*free {
		b.refused++
		return false
	}
	b.used += n
	b.peers[q.conn.address] += n
	q.memory.Add(n)
	return true
}

// give takes back all that q has.
func (b *Bodies) give(q *request) {
	if n := q.memory.Swap(0); n > 0 {
		b.free(q, n)
	}
}

// free takes back n bytes that q had.
func (b *Bodies) free(q *request, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	address := q.conn.address
	if b.peers[address] -= n; b.peers[address] == 0 {
		delete(b.peers, address)
	}
}
