package logring

import (
	"container/list"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// What a function and a line cost beside their texts, roughly and rather too much, in bytes. A line's slot may be there
// twice while the slice that holds it grows.
const (
	logOverhead  = 512
	lineOverhead = 256
)

// log holds the newest lines of one function, oldest first; the Ring's mutex guards it.
type log struct {
	ref   function.Ref
	lines []function.LogLine
	size  int64
}

func sizeOf(line *function.LogLine) int64 {
	return int64(len(line.Text)+len(line.RequestID)) + lineOverhead
}

// addLocked appends a line and drops what is then too many.
func (r *Ring) addLocked(line function.LogLine, most int) {
	e, ok := r.logs[line.Ref]
	if !ok {
		if r.logs == nil {
			r.logs = make(map[function.Ref]*list.Element)
		}
		e = r.recent.PushFront(&log{ref: line.Ref, size: int64(len(line.Namespace)+len(line.ID)) + logOverhead})
		r.logs[line.Ref] = e
		r.size += e.Value.(*log).size
	}
	r.recent.MoveToFront(e)
	l := e.Value.(*log)
	line.Ref = l.ref // one copy of the name is enough
	l.lines = append(l.lines, line)
	l.size += sizeOf(&line)
	r.size += sizeOf(&line)
	for len(l.lines) > most {
		r.dropOldestLocked(l)
	}
}

func (r *Ring) dropOldestLocked(l *log) {
	size := sizeOf(&l.lines[0])
	l.lines[0] = function.LogLine{} // its place in the array stays for a while
	l.lines = l.lines[1:]
	l.size -= size
	r.size -= size
}

// shrinkLocked drops functions that printed nothing for longest until the rest fits into memory bytes. The last one loses
// its oldest lines.
func (r *Ring) shrinkLocked(memory int64) {
	for r.size > memory && r.recent.Len() > 1 {
		r.removeLocked(r.recent.Back())
	}
	for r.size > memory && r.recent.Len() > 0 {
		e := r.recent.Front()
		if l := e.Value.(*log); len(l.lines) > 1 {
			r.dropOldestLocked(l)
		} else {
			r.removeLocked(e)
		}
	}
}

func (r *Ring) removeLocked(e *list.Element) {
	l := r.recent.Remove(e).(*log)
	delete(r.logs, l.ref)
	r.size -= l.size
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
	if extra := len(lines) - q.Limit; extra > 0 && q.Newest {
		lines = lines[extra:]
	}
	return slices.Clone(lines[:min(len(lines), q.Limit)])
}
