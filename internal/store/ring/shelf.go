package ring

import (
	"container/heap"
	"container/list"

	"github.com/backstage/functions/internal/function"
)

// shelf holds the logs of the namespaces of one owner. Where there is no room for all, the largest shelf gives way, so an owner keeps
// what it has as long as that is not more than any other's share (max-min fair). The Ring's mutex guards it.
type shelf struct {
	owner  string
	size   int64     // of its logs, in bytes
	recent list.List // of *log, the one that was written last in front
	rank   int       // in shelves
}

// shelves is a heap of all shelves, the largest first.
type shelves []*shelf

func (s shelves) Len() int           { return len(s) }
func (s shelves) Less(i, j int) bool { return s[i].size > s[j].size }

func (s shelves) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].rank, s[j].rank = i, j
}

// Push is for package heap, and so is Pop.
func (s *shelves) Push(x any) {
	added := x.(*shelf)
	added.rank = len(*s)
	*s = append(*s, added)
}

// Pop removes the last shelf.
func (s *shelves) Pop() any {
	last := len(*s) - 1
	removed := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	return removed
}

// shelfLocked returns the shelf of a namespace's owner, a new one if there is none.
func (r *Ring) shelfLocked(namespace string) *shelf {
	owner := function.Owner(namespace, r.OwnerSeparator)
	if s, ok := r.shelves[owner]; ok {
		return s
	}
	s := &shelf{owner: owner}
	if r.shelves == nil {
		r.shelves = make(map[string]*shelf)
	}
	r.shelves[owner] = s
	heap.Push(&r.largest, s)
	return s
}

// growLocked counts bytes that came, or went if it is below zero, and forgets an empty shelf.
func (r *Ring) growLocked(s *shelf, by int64) {
	s.size += by
	r.size += by
	if s.recent.Len() == 0 {
		heap.Remove(&r.largest, s.rank)
		delete(r.shelves, s.owner)
		return
	}
	heap.Fix(&r.largest, s.rank)
}

// shrinkLocked has the largest shelf give way until all fits into memory bytes. It loses the functions that printed nothing
// for longest; the last one loses its oldest lines.
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
