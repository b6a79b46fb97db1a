package egress

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// shareOfFree is how many times what is free somebody may hold and still get one more. One alone comes to hold 7 of 8
// so, two that want all that there is 7 of 15 each.
const shareOfFree = 7

// shares counts places, such as those of connections to the outside, and bounds them so that nobody can take the last
// ones: the more somebody holds the more must be free for him to get another. It is safe for concurrent use.
type shares struct {
	total int
	open  atomic.Int64 // the sum of held

	mu      sync.Mutex     // guards the fields below, and writing open
	held    map[string]int // by owner; none is 0
	waiting []*waiter      // in the order in which they came
}

// waiter is one who waits for a place.
type waiter struct {
	owner string
	has   chan struct{} // closed when the place is his
}

func newShares(total int) *shares { return &shares{total: total, held: map[string]int{}} }

// take counts one more place of owner; false says that others need what is left. The caller must give it back.
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

// mayTake says whether one who holds so many may have one more of those that are free. The last one is for somebody
// who has none.
func mayTake(held, free int) bool {
	if held == 0 {
		return free > 0
	}
	return free > 1 && held < shareOfFree*free
}

// wait is take for one who waits, at most until ctx ends, and then it is false. Of one owner they get their places in
// the order in which they came.
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

// leave takes w out of those who wait; true says that it has its place already.
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

// give gives back one place of owner, and it to whom it suits.
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

// handOnLocked gives a place to the first of those who wait for whose owner there is one: to the owner with the
// fewest. False says that there is none.
func (s *shares) handOnLocked() bool {
	next := -1
	for i, w := range s.waiting {
		if next < 0 || s.held[w.owner] < s.held[s.waiting[next].owner] {
			next = i
		}
	}
	if next < 0 || !s.takeLocked(s.waiting[next].owner) { // who has more may not have what this one may not
		return false
	}
	close(s.waiting[next].has)
	s.waiting = slices.Delete(s.waiting, next, next+1)
	return true
}
