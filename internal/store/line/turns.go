package line

import (
	"cmp"
	"time"

	"github.com/tidwall/btree"
)

// turns are the namespaces with queued calls: those with one that is due in the order in which they are served, the
// others by when they have one.
type turns struct{ active, later *btree.BTreeG[*namespace] }

// turn is the place of a namespace in turns. The zero value is none.
type turn struct {
	in   *btree.BTreeG[*namespace]
	due  time.Time // of the first call of one in later
	held int       // what these were when it was put into active
	last uint64
}

func newTurns() turns {
	ordered := func(compare func(a, b turn) int) *btree.BTreeG[*namespace] {
		return btree.NewBTreeGOptions(func(a, b *namespace) bool {
			return cmp.Or(compare(a.at, b.at), cmp.Compare(a.name, b.name)) < 0
		}, btree.Options{NoLocks: true})
	}
	return turns{
		active: ordered(func(a, b turn) int { return cmp.Or(cmp.Compare(a.held, b.held), cmp.Compare(a.last, b.last)) }),
		later:  ordered(func(a, b turn) int { return a.due.Compare(b.due) }),
	}
}

// placeLocked puts a namespace where its first queued call belongs.
func (l *Line) placeLocked(ns *namespace) {
	at := turn{}
	if first, ok := ns.due.Min(); ok && first.at.After(l.seen) {
		at = turn{in: l.turns.later, due: first.at}
	} else if ok {
		at = turn{in: l.turns.active, held: ns.held, last: ns.turn}
	}
	if at == ns.at {
		return
	}
	if ns.at.in != nil {
		ns.at.in.Delete(ns)
	}
	if ns.at = at; at.in != nil {
		at.in.Set(ns)
	}
}

// awakenLocked has namespaces served whose first call is due now.
func (l *Line) awakenLocked() {
	for {
		first, ok := l.turns.later.Min()
		if !ok || first.at.due.After(l.seen) {
			return
		}
		l.placeLocked(first)
	}
}
