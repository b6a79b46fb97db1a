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

// kept is keep for contents with so much in them.
func kept(t *testing.T, s *Store, fill byte) *page {
	t.Helper()
	p, err := s.keep(content(fill))
	if err != nil {
		t.Fatal(err)
	}
	if p.content[7] != fill {
		t.Fatalf("%d is kept as %d", fill, p.content[7])
	}
	return p
}

func TestEqualPagesAreKeptOnce(t *testing.T) {
	var s Store
	a, b, other := kept(t, &s, 1), kept(t, &s, 1), kept(t, &s, 2)
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
		pages := []*page{kept(t, &s, 1), nil, nil}
		for i := 1; i < 3; i++ { // as if maphash had made the same of it
			pages[i] = &page{hash: pages[0].hash, users: 1, next: s.pages[pages[0].hash]}
			var err error
			if pages[i].slab, pages[i].content, err = s.slabs.take(); err != nil {
				t.Fatal(err)
			}
			*pages[i].content = [pageSize]byte(content(byte(i + 1)))
			s.pages[pages[0].hash] = pages[i]
		}
		if kept(t, &s, 1) != pages[0] {
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
				s.drop([]*page{kept(t, &s, byte(i))})
			}
		})
	}
	all.Wait()
	if s.Pages() != 0 {
		t.Errorf("%d pages are left", s.Pages())
	}
}

// Memory of slabs is used again, and given up when no page of it is used.
func TestSlabsAreGivenUp(t *testing.T) {
	var s Store
	const most = 3*slabPages + 1
	var pages []*page
	for i := range most {
		text := content(byte(i))
		text[8] = byte(i >> 8)
		p, err := s.keep(text)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, p)
	}
	used := map[*slab]bool{}
	for i, p := range pages {
		used[p.slab] = true
		if p.content[7] != byte(i) || p.content[8] != byte(i>>8) {
			t.Errorf("page %d holds %v", i, p.content[7:9])
		}
	}
	if len(used) != 4 || len(s.slabs.open) != 1 {
		t.Errorf("%d slabs, %d of them open", len(used), len(s.slabs.open))
	}
	s.drop(pages[:slabPages+1])
	if len(s.slabs.open) != 2 {
		t.Errorf("%d slabs are open", len(s.slabs.open))
	}
	s.drop(pages[slabPages+1:])
	if s.Pages() != 0 || len(s.slabs.open) != 0 {
		t.Errorf("%d pages and %d slabs are left", s.Pages(), len(s.slabs.open))
	}
}
