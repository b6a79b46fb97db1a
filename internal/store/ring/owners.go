package ring

import (
	"container/heap"
	"container/list"

	"github.com/backstage/functions/internal/function"
)

// ownerLogs holds the logs of the namespaces of one owner. When memory is full the owner with the most bytes loses
// lines, so an owner keeps what it has unless it has more than an equal share (max-min fair). The Ring's mutex guards
// it.
type ownerLogs struct {
	owner  string
	size   int64     // of its logs, in bytes
	recent list.List // of *log, most recently written first
	rank   int       // in ownersBySize
}

// ownersBySize is a heap, the owner with the most bytes first.
type ownersBySize []*ownerLogs

func (s ownersBySize) Len() int           { return len(s) }
func (s ownersBySize) Less(i, j int) bool { return s[i].size > s[j].size }

func (s ownersBySize) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].rank, s[j].rank = i, j
}

// Push implements heap.Interface.
func (s *ownersBySize) Push(x any) {
	added := x.(*ownerLogs)
	added.rank = len(*s)
	*s = append(*s, added)
}

// Pop implements heap.Interface.
func (s *ownersBySize) Pop() any {
	last := len(*s) - 1
	removed := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	return removed
}

// ownerLocked returns the logs of a namespace's owner, new ones if there are none.
func (r *Ring) ownerLocked(namespace string) *ownerLogs {
	owner := function.Owner(namespace, r.OwnerSeparator)
	if s, ok := r.owners[owner]; ok {
		return s
	}
	s := &ownerLogs{owner: owner}
	if r.owners == nil {
		r.owners = make(map[string]*ownerLogs)
	}
	r.owners[owner] = s
	heap.Push(&r.largest, s)
	return s
}

// growLocked adds bytes, which may be negative, to the sizes, and removes an owner without logs.
func (r *Ring) growLocked(s *ownerLogs, by int64) {
	s.size += by
	r.size += by
	if s.recent.Len() == 0 {
		heap.Remove(&r.largest, s.rank)
		delete(r.owners, s.owner)
		return
	}
	heap.Fix(&r.largest, s.rank)
}

// shrinkLocked drops lines of the owner with the most bytes until all logs fit into memory bytes. The functions that
// printed least recently lose all lines first. The last function loses its oldest lines.
func (r *Ring) shrinkLocked(memory int64) {
	for r.size > memory && len(r.largest) > 0 {
		s := r.largest[0]
		oldest := s.recent.Back()
		if l := oldest.Value.(*log); s.recent.Len() == 1 && len(l.lines) > 1 {
			r.dropOldestLocked(l)
		} else {
			r.removeLocked(oldest)
		}
	}
}
