package build

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// queue gives places to builds, of which most may be under way and waits may wait. Owners share both: a place that
// becomes free goes to the owner with the fewest builds under way, of whose builds the one that has waited longest
// begins. Where all places to wait are taken, the newest of the owner that has the most of them is refused, unless the
// new one's owner would have as many. It is safe for concurrent use.
type queue struct {
	most, waits int

	mu      sync.Mutex // guards the fields below
	busy    int
	under   map[string]int // builds under way, by owner
	waiting []*waiter      // the newest last
}

// waiter is a build that waits. One of its channels is closed, by who takes it from the queue.
type waiter struct {
	owner          string
	begin, refused chan struct{}
}

func newQueue(most, waits int) *queue {
	return &queue{most: most, waits: waits, under: map[string]int{}}
}

// enter waits for a place until ctx ends, at most as long as within, and returns what gives it back. It returns ErrBusy
// when there is none to be had.
func (q *queue) enter(ctx context.Context, owner string, within time.Duration) (leave func(), err error) {
	w, err := q.join(owner)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-w.begin:
		return func() { q.leave(owner) }, nil
	case <-w.refused:
		return nil, ErrBusy
	case <-ctx.Done():
		err = fmt.Errorf("build: %w", context.Cause(ctx))
	case <-timer.C:
		err = ErrBusy
	}
	if !q.giveUp(w) {
		select {
		case <-w.begin: // at the same time
			q.leave(owner)
		default:
		}
	}
	return nil, err
}

// join puts a build into the queue, or lets it begin.
func (q *queue) join(owner string) (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := &waiter{owner, make(chan struct{}), make(chan struct{})}
	if q.busy < q.most {
		q.beginLocked(w)
		return w, nil
	}
	if len(q.waiting) >= q.waits {
		i := q.richestLocked(owner)
		if i < 0 {
			return nil, ErrBusy
		}
		close(q.waiting[i].refused)
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	q.waiting = append(q.waiting, w)
	return w, nil
}

func (q *queue) beginLocked(w *waiter) {
	q.busy++
	q.under[w.owner]++
	close(w.begin)
}

// richestLocked is the index of the newest waiter of the owner that has the most, if these are more than a new one of
// owner would make; else -1.
func (q *queue) richestLocked(owner string) int {
	have, richest := map[string]int{}, -1
	for _, w := range q.waiting {
		have[w.owner]++
	}
	for i, w := range q.waiting {
		if n := have[w.owner]; n > have[owner]+1 && (richest < 0 || n >= have[q.waiting[richest].owner]) {
			richest = i
		}
	}
	return richest
}

// leave gives a place back, and to the next one.
func (q *queue) leave(owner string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy--
	if q.under[owner]--; q.under[owner] == 0 {
		delete(q.under, owner)
	}
	if len(q.waiting) == 0 {
		return
	}
	next := 0
	for i, w := range q.waiting {
		if q.under[w.owner] < q.under[q.waiting[next].owner] {
			next = i
		}
	}
	q.beginLocked(q.waiting[next])
	q.waiting = slices.Delete(q.waiting, next, next+1)
}

// giveUp takes w from the queue, and says whether it was there.
func (q *queue) giveUp(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}
