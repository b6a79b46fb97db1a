package invoke

import (
	"container/list"

	"github.com/backstage/functions/internal/function"
)

// lru holds entries up to a number of bytes and drops those used longest ago. It is not safe for concurrent use.
type lru struct {
	limit int64
	used  int64
	order *list.List // of *entry, the one used last in front
	byRef map[function.Ref]*list.Element
	// evicted counts the entries that were dropped for lack of room.
	evicted uint64
}

func newLRU(limit int64) *lru {
	return &lru{limit: limit, order: list.New(), byRef: map[function.Ref]*list.Element{}}
}

// get returns the entry of ref and marks it as used; nil when there is none.
func (l *lru) get(ref function.Ref) *entry {
	at, ok := l.byRef[ref]
	if !ok {
		return nil
	}
	l.order.MoveToFront(at)
	return at.Value.(*entry)
}

// put adds e or replaces the entry of the same function. An entry above the limit is not kept.
func (l *lru) put(e *entry) {
	l.remove(e.fn.Ref)
	l.byRef[e.fn.Ref] = l.order.PushFront(e)
	l.used += e.size()
	l.evict()
}

// compiled counts what is kept next to the code of e from now on.
func (l *lru) compiled(e *entry, bytes int) {
	at, ok := l.byRef[e.fn.Ref]
	if !ok || at.Value != e { // it is counted no more
		return
	}
	l.used -= e.size()
	e.compiledBytes = bytes
	l.used += e.size()
	l.evict()
}

// evict makes room.
func (l *lru) evict() {
	for l.used > l.limit {
		l.evicted++
		l.remove(l.order.Back().Value.(*entry).fn.Ref)
	}
}

func (l *lru) remove(ref function.Ref) {
	at, ok := l.byRef[ref]
	if !ok {
		return
	}
	delete(l.byRef, ref)
	l.used -= l.order.Remove(at).(*entry).size()
}

// all calls f with every entry; f may remove the one it is given.
func (l *lru) all(f func(*entry)) {
	for _, at := range l.byRef {
		f(at.Value.(*entry))
	}
}
