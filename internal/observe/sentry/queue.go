package sentry

import (
	"errors"
	"slices"
	"sync"
)

// shareOfFree is how many times the free places of a queue an owner of namespaces may have and still get one more; so
// one alone has 7 of 8 of them.
const shareOfFree = 7

var errQueueFull = errors.New("too many at once")

// queue holds reports that wait. No owner takes all places, and owners are served round robin. It is safe for
// concurrent use.
type queue struct {
	size   int
	single bool // at most one report of an owner is on its way at a time

	mu     sync.Mutex // guards the fields below
	change *sync.Cond // there is more to take, or an end
	closed bool
	count  int             // reports that wait
	ready  []*ownerReports // round robin: next first; those with reports that wait or are on their way
}

// ownerReports are the reports of one owner.
type ownerReports struct {
	owner   string
	waiting []*report
	out     int // on their way
}

func newQueue(size int, single bool) *queue {
	q := &queue{size: size, single: single}
	q.change = sync.NewCond(&q.mu)
	return q
}

// hasRoom says whether one more report of an owner may wait.
func (q *queue) hasRoom(owner string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.hasRoomLocked(q.ofLocked(owner))
}

// hasRoomLocked leaves the last place to an owner who has none.
func (q *queue) hasRoomLocked(t *ownerReports) bool {
	free := q.size - q.count
	if t == nil || len(t.waiting) == 0 {
		return free > 0
	}
	return free > 1 && len(t.waiting) < shareOfFree*free
}

func (q *queue) ofLocked(owner string) *ownerReports {
	for _, t := range q.ready {
		if t.owner == owner {
			return t
		}
	}
	return nil
}

// offer lets r wait. After the end it does nothing.
func (q *queue) offer(r *report) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.ofLocked(r.project.owner)
	switch {
	case q.closed:
		return nil
	case !q.hasRoomLocked(t):
		return errQueueFull
	case t == nil:
		t = &ownerReports{owner: r.project.owner}
		q.ready = append(q.ready, t)
	}
	t.waiting = append(t.waiting, r)
	q.count++
	q.change.Broadcast()
	return nil
}

// take waits for the next report; the caller must call done for it. Nil says that there will be none any more.
func (q *queue) take() *report {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for i, t := range q.ready {
			if len(t.waiting) > 0 && (t.out == 0 || !q.single) {
				q.ready = append(slices.Delete(q.ready, i, i+1), t)
				return q.firstLocked(t)
			}
		}
		if q.closed && q.count == 0 {
			return nil
		}
		q.change.Wait()
	}
}

func (q *queue) firstLocked(t *ownerReports) *report {
	r := t.waiting[0]
	t.waiting = slices.Delete(t.waiting, 0, 1)
	t.out++
	q.count--
	return r
}

// done says that r, which was taken, is no longer on its way.
func (q *queue) done(r *report) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.ofLocked(r.project.owner)
	if t.out--; t.out == 0 && len(t.waiting) == 0 {
		q.ready = slices.DeleteFunc(q.ready, func(other *ownerReports) bool { return other == t })
	}
	q.change.Broadcast()
}

// close says that nothing comes any more; what waits can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.change.Broadcast()
}
