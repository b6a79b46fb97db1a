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

// lineQueue holds lines that are not written yet.
type lineQueue struct {
	wake chan struct{} // holds one token while there are lines

	mu     sync.Mutex // guards the fields below
	lines  []function.LogLine
	size   int // of the texts
	closed bool
}

func newLineQueue() *lineQueue { return &lineQueue{wake: make(chan struct{}, 1)} }

// put adds a line if there is room.
func (q *lineQueue) put(line function.LogLine) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.lines) >= queueLines || q.size+len(line.Text) > queueBytes {
		return false
	}
	q.lines = append(q.lines, line)
	q.size += len(line.Text)
	q.wakeLocked()
	return true
}

// take removes the oldest lines, at most so many.
func (q *lineQueue) take(most int) []function.LogLine {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.lines), most)
	taken := q.lines[:n:n]
	q.lines = q.lines[n:]
	for i := range taken {
		q.size -= len(taken[i].Text)
	}
	if len(q.lines) == 0 {
		q.lines = nil
	} else {
		q.wakeLocked()
	}
	return taken
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
