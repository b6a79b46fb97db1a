package sandbox

import (
	"math/rand/v2"
	"testing"
)

func TestIdleSetGivesTheLastUsedOfAKey(t *testing.T) {
	var s idleSet
	if s.len() != 0 || s.oldest() != nil || s.take("a") != nil {
		t.Error("the zero value is not empty")
	}
	a1, a2, b := &slot{key: "a"}, &slot{key: "a"}, &slot{key: "b"}
	for _, w := range []*slot{a1, b, a2} {
		s.put(w)
	}
	if got := s.oldest(); got != a1 {
		t.Errorf("oldest is %v, want the first of a", got)
	}
	if got := s.take("a"); got != a2 {
		t.Errorf("take gave %v, want the last of a", got)
	}
	s.put(a2)
	s.remove(a1)
	s.remove(a1)
	if got := s.oldest(); got != b || s.len() != 2 {
		t.Errorf("oldest of %d is %v, want b", s.len(), got)
	}
	if s.take("b") != b || s.take("b") != nil || s.take("a") != a2 || s.len() != 0 {
		t.Error("taken workers are still there")
	}
}

func TestIdleSetHoldsWhatWasPut(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	all := make([]*slot, 40)
	for i := range all {
		all[i] = &slot{key: string(rune('a' + i%7))}
	}
	var s idleSet
	var order []*slot // the longest idle first
	drop := func(w *slot) {
		for i, other := range order {
			if other == w {
				order = append(order[:i:i], order[i+1:]...)
				return
			}
		}
	}
	in := func(w *slot) bool { _, ok := s.at[w]; return ok }
	for range 10_000 {
		w := all[random.IntN(len(all))]
		switch {
		case random.IntN(3) == 0:
			s.remove(w)
			drop(w)
		case random.IntN(3) == 0:
			if got := s.take(w.key); got != nil {
				if got.key != w.key {
					t.Fatalf("take(%s) gave one of %s", w.key, got.key)
				}
				drop(got)
			}
		case !in(w):
			s.put(w)
			order = append(order, w)
		}
		if s.len() != len(order) || (len(order) > 0 && s.oldest() != order[0]) {
			t.Fatalf("%d idle, oldest %v; want %d", s.len(), s.oldest(), len(order))
		}
	}
}
