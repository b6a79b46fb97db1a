package line

import (
	"strings"
	"time"

	"github.com/tidwall/btree"

	"github.com/backstage/functions/internal/queue"
)

// namespace is there while it has calls.
type namespace struct {
	name  string
	due   *btree.BTreeG[moment] // queued calls
	done  *btree.BTreeG[moment] // those that may make room, by from when on
	keys  map[string]string     // IDs of calls by their idempotency keys
	has   amount                // all its calls
	spare amount                // of has, those in done
	held  int                   // running calls
	turn  uint64                // of its last take
	at    turn                  // its place in turns

	ranked bool   // whether it is among the holders
	rank   amount // what has was then
}

// amount is how many calls there are and what they take.
type amount struct {
	calls int
	bytes int64
}

func (a *amount) add(calls int, bytes int64) {
	a.calls += calls
	a.bytes += bytes
}

// minus is what is left of a without b.
func (a amount) minus(b amount) amount { return amount{a.calls - b.calls, a.bytes - b.bytes} }

func (l *Line) namespaceLocked(name string) *namespace {
	ns := l.namespaces[name]
	if ns == nil {
		// It comes after those that were served last, so that nobody is first by coming anew.
		ns = &namespace{name: name, due: newMoments(), done: newMoments(), keys: map[string]string{}, turn: l.turn}
		l.namespaces[name] = ns
		l.emptied = append(l.emptied, name) // unless it is given a call
	}
	return ns
}

// holders are the namespaces with calls that may make room, by what they have.
type holders struct{ byCalls, byBytes *btree.BTreeG[*namespace] }

func newHolders() holders {
	ordered := func(of func(amount) int64) *btree.BTreeG[*namespace] {
		return btree.NewBTreeGOptions(func(a, b *namespace) bool {
			if x, y := of(a.rank), of(b.rank); x != y {
				return x < y
			}
			return strings.Compare(a.name, b.name) < 0
		}, btree.Options{NoLocks: true})
	}
	return holders{
		byCalls: ordered(func(a amount) int64 { return int64(a.calls) }),
		byBytes: ordered(func(a amount) int64 { return a.bytes }),
	}
}

// rank puts a namespace where it belongs.
func (h holders) rank(ns *namespace) {
	if ns.ranked {
		h.byCalls.Delete(ns)
		h.byBytes.Delete(ns)
	}
	if ns.rank, ns.ranked = ns.has, ns.spare.calls > 0; ns.ranked {
		h.byCalls.Set(ns)
		h.byBytes.Set(ns)
	}
}

// offerLocked lets a settled call make room, now or once its idempotency key counts no more.
func (l *Line) offerLocked(ns *namespace, c *queue.Call) {
	m := moment{evictable(c), c.ID}
	if m.at.After(l.seen) {
		l.keyed.Set(m)
		return
	}
	ns.done.Set(m)
	l.spareLocked(ns, 1, l.texts[c.ID].size(c))
}

// retractLocked takes a call back that offerLocked was given.
func (l *Line) retractLocked(ns *namespace, c *queue.Call) {
	m := moment{evictable(c), c.ID}
	if _, waits := l.keyed.Delete(m); waits {
		return
	}
	ns.done.Delete(m)
	l.spareLocked(ns, -1, -l.texts[c.ID].size(c))
}

func (l *Line) spareLocked(ns *namespace, calls int, bytes int64) {
	ns.spare.add(calls, bytes)
	l.spare.add(calls, bytes)
}

// seeLocked notes what time it is: calls have become due, and those whose idempotency key counts no more may make room.
func (l *Line) seeLocked(now time.Time) {
	l.seen = now
	l.awakenLocked()
	_ = l.inCallbacks(func() error { l.awakenLocked(); return nil })
	for {
		first, ok := l.keyed.Min()
		if !ok || first.at.After(now) {
			return
		}
		l.keyed.Delete(first)
		c := l.calls[first.id]
		ns := l.namespaceLocked(c.Ref.Namespace)
		l.offerLocked(ns, c)
		l.holders.rank(ns)
	}
}

// evictable is from when on a call that succeeded or was cancelled may make room.
func evictable(c *queue.Call) time.Time {
	if until := c.Created.Add(c.KeyFor); c.Key != "" && until.After(c.Settled) {
		return until
	}
	return c.Settled
}
