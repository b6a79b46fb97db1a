package egress

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// shareOfFree is how many times the free places an owner may have and still get one more. So one owner alone gets 7 of
// 8, two that want everything get 7 of 15 each.
const shareOfFree = 7

// shares counts places, such as those of connections to the outside, and limits owners so that none can take the last
// ones: the more an owner has, the more must be free for another one. It is safe for concurrent use.
type shares struct {
	total int
	open  atomic.Int64 // the sum of held

	mu      sync.Mutex     // guards the fields below, and writing open
	held    map[string]int // by owner; none is 0
	waiting []*waiter      // in the order in which they came
}

// waiter waits for a place.
type waiter struct {
	owner string
	has   chan struct{} // closed when it has its place
}

func newShares(total int) *shares { return &shares{total: total, held: map[string]int{}} }

// take takes one more place for owner; false means that the rest is for others. The caller must give it back.
func (s *shares) take(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeLocked(owner)
}

func (s *shares) takeLocked(owner string) bool {
	if !mayTake(s.held[owner], s.total-int(s.open.Load())) {
		return false
	}
	s.held[owner]++
	s.open.Add(1)
	return true
}

// mayTake says whether an owner with so many places may have one more of those that are free. The last one is for an
// owner without any.
func mayTake(held, free int) bool {
	if held == 0 {
		return free > 0
	}
	return free > 1 && held < shareOfFree*free
}

// wait is take that waits, at most until ctx ends, and then returns false. Waiters of one owner are served in order.
func (s *shares) wait(ctx context.Context, owner string) bool {
	s.mu.Lock()
	first := !slices.ContainsFunc(s.waiting, func(w *waiter) bool { return w.owner == owner })
	if first && s.takeLocked(owner) {
		s.mu.Unlock()
		return true
	}
	w := &waiter{owner: owner, has: make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()
	select {
	case <-w.has:
		return true
	case <-ctx.Done():
		return s.leave(w)
	}
}

// leave removes w from the queue; true means that it has its place already.
func (s *shares) leave(w *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting, w)
	if i < 0 {
		return true
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return false
}

// give returns one place of owner and passes it on.
func (s *shares) give(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open.Add(-1)
	if s.held[owner]--; s.held[owner] == 0 {
		delete(s.held, owner)
	}
	for s.handOnLocked() {
	}
}

// handOnLocked gives a place to the first waiter that may have one, of the owner with the fewest. False means that
// there is none.
func (s *shares) handOnLocked() bool {
	next := -1
	for i, w := range s.waiting {
		if next < 0 || s.held[w.owner] < s.held[s.waiting[next].owner] {
			next = i
		}
	}
	if next < 0 || !s.takeLocked(s.waiting[next].owner) { // owners with more may not have one either
		return false
	}
	close(s.waiting[next].has)
	s.waiting = slices.Delete(s.waiting, next, next+1)
	return true
}
