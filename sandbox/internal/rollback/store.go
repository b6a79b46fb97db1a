//go:build linux && amd64

package rollback

import (
	"hash/maphash"
	"sync"
)

// Store keeps the contents of pages for the snapshots of many workers. Workers of one fork server have most pages in
// common, and each content is kept once. The zero value is ready to use; it is safe for concurrent use.
type Store struct {
	seed maphash.Seed
	once sync.Once

	mu    sync.Mutex // guards the fields below
	pages map[uint64]*page
	slabs slabs
}

// page is a content that some snapshots have in common. Those of equal hashes are a list.
type page struct {
	content *[pageSize]byte // of a slab
	slab    *slab
	hash    uint64
	users   int
	next    *page
}

// keep returns the page with that content.
func (s *Store) keep(content []byte) (*page, error) {
	s.once.Do(func() { s.seed = maphash.MakeSeed() })
	hash := maphash.Bytes(s.seed, content)
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := s.pages[hash]; p != nil; p = p.next {
		if string(p.content[:]) == string(content) {
			p.users++
			return p, nil
		}
	}
	if s.pages == nil {
		s.pages = map[uint64]*page{}
	}
	p := &page{hash: hash, users: 1, next: s.pages[hash]}
	var err error
	if p.slab, p.content, err = s.slabs.take(); err != nil {
		return nil, err
	}
	copy(p.content[:], content)
	s.pages[hash] = p
	return p, nil
}

// drop gives pages back.
func (s *Store) drop(pages []*page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range pages {
		if p == nil {
			continue
		}
		if p.users--; p.users == 0 {
			s.removeLocked(p)
			s.slabs.give(p.slab, p.content)
		}
	}
}

func (s *Store) removeLocked(p *page) {
	first := s.pages[p.hash]
	if first == p {
		if p.next == nil {
			delete(s.pages, p.hash)
		} else {
			s.pages[p.hash] = p.next
		}
		return
	}
	for ; first != nil; first = first.next {
		if first.next == p {
			first.next = p.next
			return
		}
	}
}

// Pages is how many different contents are kept.
func (s *Store) Pages() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.pages {
		for ; p != nil; p = p.next {
			n++
		}
	}
	return n
}
