package ring

import (
	"container/list"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// What a function and a line cost in addition to their texts, in bytes: an upper estimate. A line's slot may exist
// twice while the slice that holds it grows.
const (
	logOverhead  = 512
	lineOverhead = 256
)

// log holds the newest lines of one function, oldest first; the Ring's mutex guards it.
type log struct {
	ref   function.Ref
	owner *ownerLogs
	lines []function.LogLine
	size  int64
}

func sizeOf(line *function.LogLine) int64 {
	return int64(len(line.Text)+len(line.RequestID)) + lineOverhead
}

// addLocked appends a line and drops the oldest above most.
func (r *Ring) addLocked(line function.LogLine, most int) {
	e, ok := r.logs[line.Ref]
	if !ok {
		e = r.newLogLocked(line.Ref)
	}
	l := e.Value.(*log)
	l.owner.recent.MoveToFront(e)
	line.Ref = l.ref // one copy of the name is enough
	l.lines = append(l.lines, line)
	l.size += sizeOf(&line)
	r.growLocked(l.owner, sizeOf(&line))
	for len(l.lines) > most {
		r.dropOldestLocked(l)
	}
}

func (r *Ring) newLogLocked(ref function.Ref) *list.Element {
	if r.logs == nil {
		r.logs = make(map[function.Ref]*list.Element)
	}
	l := &log{ref: ref, owner: r.ownerLocked(ref.Namespace), size: int64(len(ref.Namespace)+len(ref.ID)) + logOverhead}
	e := l.owner.recent.PushFront(l)
	r.logs[ref] = e
	r.growLocked(l.owner, l.size)
	return e
}

func (r *Ring) dropOldestLocked(l *log) {
	size := sizeOf(&l.lines[0])
	l.lines[0] = function.LogLine{} // its place in the array stays for a while
	l.lines = l.lines[1:]
	l.size -= size
	r.growLocked(l.owner, -size)
}

func (r *Ring) removeLocked(e *list.Element) {
	l := e.Value.(*log)
	l.owner.recent.Remove(e)
	delete(r.logs, l.ref)
	r.growLocked(l.owner, -l.size)
}

// selectLocked returns a copy of the lines that q selects.
func (r *Ring) selectLocked(ref function.Ref, q function.LogQuery) []function.LogLine {
	e, ok := r.logs[ref]
	if !ok {
		return nil
	}
	lines := e.Value.(*log).lines
	first, _ := slices.BinarySearchFunc(lines, q.After.Next(), func(line function.LogLine, c function.LogCursor) int {
		return line.Cursor.Compare(c)
	})
	lines = lines[first:]
	fit := q.Fit(lines)
	if q.Newest {
		return slices.Clone(lines[len(lines)-fit:])
	}
	return slices.Clone(lines[:fit])
}
