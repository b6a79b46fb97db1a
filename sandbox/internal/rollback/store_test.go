//go:build linux && amd64

package rollback

import (
	"sync"
	"testing"
)

func content(fill byte) []byte {
	c := make([]byte, pageSize)
	c[7] = fill
	return c
}

func TestEqualPagesAreKeptOnce(t *testing.T) {
	var s Store
	a, b, other := s.keep(content(1)), s.keep(content(1)), s.keep(content(2))
	if a != b || a == other || s.Pages() != 2 {
		t.Errorf("%p %p %p, %d pages", a, b, other, s.Pages())
	}
	s.drop([]*page{a, nil})
	if s.Pages() != 2 {
		t.Error("a page that another snapshot has is gone")
	}
	s.drop([]*page{b, other})
	if s.Pages() != 0 {
		t.Errorf("%d pages are left", s.Pages())
	}
}

// Pages of the same hash stay apart, whichever of them is dropped first.
func TestPagesOfOneHashStayApart(t *testing.T) {
	for first := range 3 {
		var s Store
		pages := []*page{s.keep(content(1)), nil, nil}
		for i := 1; i < 3; i++ { // as if maphash had made the same of it
			pages[i] = &page{content: [pageSize]byte(content(byte(i + 1))), hash: pages[0].hash, users: 1, next: s.pages[pages[0].hash]}
			s.pages[pages[0].hash] = pages[i]
		}
		if s.keep(content(1)) != pages[0] {
			t.Error("the first one is not found behind the others")
		}
		s.drop([]*page{pages[0], pages[first]})
		if s.Pages() != 2 {
			t.Errorf("%d pages after page %d was dropped", s.Pages(), first)
		}
	}
}

func TestStoreIsSafeForConcurrentUse(t *testing.T) {
	var s Store
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				s.drop([]*page{s.keep(content(byte(i)))})
			}
		})
	}
	all.Wait()
	if s.Pages() != 0 {
		t.Errorf("%d pages are left", s.Pages())
	}
}
