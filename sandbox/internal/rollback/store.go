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

	coding sync.Mutex // guards codes
	codes  map[code][]sum
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
	hash := s.sum(content)
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

// sum is a hash of a content, of a function that is drawn anew for each Store: nobody can look for contents of equal
// sums.
func (s *Store) sum(content []byte) uint64 {
	s.once.Do(func() { s.seed = maphash.MakeSeed() })
	return maphash.Bytes(s.seed, content)
}

// sumCode returns the sums of code, which find tells the first time.
func (s *Store) sumCode(of code, find func() ([]sum, error)) (sums []sum, err error) {
	s.coding.Lock()
	defer s.coding.Unlock()
	if sums, known := s.codes[of]; known {
		return sums, nil
	}
	if sums, err = find(); err != nil {
		return nil, err
	}
	if s.codes == nil {
		s.codes = map[code][]sum{}
	}
	s.codes[of] = sums
	return sums, nil
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
