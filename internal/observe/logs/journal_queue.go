package logs

import (
	"sync"

	"github.com/backstage/functions/internal/function"
)

// The bounds of the queue: lines, and the bytes of their texts.
const (
	queueLines = 10_000
	queueBytes = 8 << 20
)

// shareOfFree is how many times what is free of the queue an owner of namespaces may have; so one alone has 7 of 8
// parts of it.
const shareOfFree = 7

// lineQueue holds lines that are not written yet. Owners of namespaces are served round robin, and none takes all of
// the room. It is safe for concurrent use.
type lineQueue struct {
	wake chan struct{} // holds one token while there are lines

	mu      sync.Mutex // guards the fields below
	byOwner map[string]*ownLines
	ready   []*ownLines // round robin: those with lines, next first
	lines   int
	size    int // of the texts
	closed  bool
}

// ownLines are the lines of one owner.
type ownLines struct {
	owner string
	lines []function.LogLine
	size  int // of the texts
}

func newLineQueue() *lineQueue {
	return &lineQueue{wake: make(chan struct{}, 1), byOwner: map[string]*ownLines{}}
}

// put adds a line of an owner's if there is room.
func (q *lineQueue) put(owner string, line function.LogLine) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.byOwner[owner]
	if q.closed || !q.hasRoomLocked(own, len(line.Text)) {
		return false
	}
	if own == nil {
		own = &ownLines{owner: owner}
		q.byOwner[owner] = own
		q.ready = append(q.ready, own)
	}
	own.lines = append(own.lines, line)
	own.size += len(line.Text)
	q.lines++
	q.size += len(line.Text)
	q.wakeLocked()
	return true
}

// hasRoomLocked says whether there is room for one more line with a text of that size. The last room is for owners who
// have none.
func (q *lineQueue) hasRoomLocked(own *ownLines, size int) bool {
	lines, bytes := queueLines-q.lines-1, queueBytes-q.size-size // that are free then
	if lines < 0 || bytes < 0 {
		return false
	}
	return own == nil || len(own.lines) < shareOfFree*lines && own.size+size <= shareOfFree*bytes
}

// take removes lines, at most so many, one of each owner, round robin; those of one owner are in order.
func (q *lineQueue) take(most int) []function.LogLine {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(q.lines, most)
	taken := make([]function.LogLine, 0, n)
	for len(taken) < n {
		taken = append(taken, q.nextLocked())
	}
	q.lines -= n
	if q.lines > 0 {
		q.wakeLocked()
	}
	return taken
}

// nextLocked removes the first line of the next owner. There must be one.
func (q *lineQueue) nextLocked() function.LogLine {
	own := q.ready[0]
	line := own.lines[0]
	own.lines[0] = function.LogLine{} // is not kept in memory
	own.lines = own.lines[1:]
	own.size -= len(line.Text)
	q.size -= len(line.Text)
	q.ready[0] = nil
	q.ready = q.ready[1:]
	if len(own.lines) > 0 {
		q.ready = append(q.ready, own)
	} else {
		delete(q.byOwner, own.owner)
	}
	return line
}

func (q *lineQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *lineQueue) wakeLocked() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
