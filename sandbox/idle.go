package sandbox

import (
	"container/list"
	"time"
)

// idleSet holds the bound workers that wait for a call. The zero value is empty. Its user locks.
type idleSet struct {
	byKey map[string][]*slot // the last one was used most recently
	lru   list.List          // of *slot; the front was used the longest time ago
	at    map[*slot]*list.Element
}

func (s *idleSet) len() int { return s.lru.Len() }

func (s *idleSet) put(w *slot) {
	if s.at == nil {
		s.byKey, s.at = map[string][]*slot{}, map[*slot]*list.Element{}
	}
	s.byKey[w.key] = append(s.byKey[w.key], w)
	s.at[w] = s.lru.PushBack(w)
}

// all are the workers that are there, and when each was used last.
func (s *idleSet) all() map[*slot]time.Time {
	all := make(map[*slot]time.Time, len(s.at))
	for w := range s.at {
		all[w] = w.lastUsed
	}
	return all
}

func (s *idleSet) holds(w *slot) bool { return s.at[w] != nil }

func (s *idleSet) has(key string) bool { return len(s.byKey[key]) > 0 }

// take removes and returns the worker of key that was used most recently, or nil.
func (s *idleSet) take(key string) *slot {
	ws := s.byKey[key]
	if len(ws) == 0 {
		return nil
	}
	w := ws[len(ws)-1]
	s.remove(w)
	return w
}

// oldest returns the worker that was used the longest time ago, or nil.
func (s *idleSet) oldest() *slot {
	if front := s.lru.Front(); front != nil {
		return front.Value.(*slot)
	}
	return nil
}

// remove removes w if it is there.
func (s *idleSet) remove(w *slot) {
	element, ok := s.at[w]
	if !ok {
		return
	}
	s.lru.Remove(element)
	delete(s.at, w)
	ws := s.byKey[w.key]
	for i, other := range ws {
		if other == w {
			ws = append(ws[:i], ws[i+1:]...)
			break
		}
	}
	if len(ws) == 0 {
		delete(s.byKey, w.key)
	} else {
		s.byKey[w.key] = ws
	}
}
