package egress

import (
	"sync"
	"sync/atomic"
)

// shareOfFree is how many times what is free somebody may hold and still get one more. One alone comes to hold 7 of 8 so, two that want
// all that there is 7 of 15 each.
const shareOfFree = 7

// shares counts the connections to the outside, and bounds them so that nobody can take the last ones: the more somebody holds the more must be
// free for him to get another. It is safe for concurrent use.
type shares struct {
	total int
	open  atomic.Int64 // the sum of held

	mu   sync.Mutex     // guards held, and writing open
	held map[string]int // by owner; none is 0
}

func newShares(total int) *shares { return &shares{total: total, held: map[string]int{}} }

// take counts one more connection of owner; false says that others need what is left. The caller must give it back.
func (s *shares) take(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !mayTake(s.held[owner], s.total-int(s.open.Load())) {
		return false
	}
	s.held[owner]++
	s.open.Add(1)
	return true
}

// mayTake says whether one who holds so many may have one more of those that are free. The last one is for somebody who has none.
func mayTake(held, free int) bool {
	if held == 0 {
		return free > 0
	}
	return free > 1 && held < shareOfFree*free
}

// give gives back one connection of owner.
func (s *shares) give(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open.Add(-1)
	if s.held[owner]--; s.held[owner] == 0 {
		delete(s.held, owner)
	}
}
