//go:build linux && amd64

package rollback

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// slabPages is how many pages a slab has.
const slabPages = 64

// slabs are memory for contents of pages outside of the heap of Go, which would take twice as much, and look through
// it. The zero value has none; its user locks.
type slabs struct {
	open []*slab // those with a free page
}

// slab is memory for so many contents.
type slab struct {
	memory []byte
	free   []uint8 // the numbers of free pages
}

// take returns a page whose content is undefined, and its slab.
func (s *slabs) take() (*slab, *[pageSize]byte, error) {
	if len(s.open) == 0 {
		memory, err := unix.Mmap(-1, 0, slabPages*pageSize, unix.PROT_READ|unix.PROT_WRITE,
			unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			return nil, nil, fmt.Errorf("memory for snapshots: %w", err)
		}
		// Huge pages would count those that are not used yet. It is no harm where there are none.
		_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE)
		made := &slab{memory: memory}
		for i := range uint8(slabPages) {
			made.free = append(made.free, slabPages-1-i)
		}
		s.open = append(s.open, made)
	}
	last := s.open[len(s.open)-1]
	n := len(last.free) - 1
	at := int(last.free[n]) * pageSize
	if last.free = last.free[:n]; n == 0 {
		s.open = s.open[:len(s.open)-1]
	}
	return last, (*[pageSize]byte)(last.memory[at:]), nil
}

// give takes a page back. The memory of a slab of which no page is used is given up.
func (s *slabs) give(of *slab, content *[pageSize]byte) {
	at := uintptr(unsafe.Pointer(content)) - uintptr(unsafe.Pointer(unsafe.SliceData(of.memory)))
	of.free = append(of.free, uint8(at/pageSize))
	switch len(of.free) {
	case 1:
		s.open = append(s.open, of)
	case slabPages:
		s.open = without(s.open, of)
		_ = unix.Munmap(of.memory) // its own, and nobody's any more
	}
}

func without(all []*slab, one *slab) []*slab {
	for i, s := range all {
		if s == one {
			all[i] = all[len(all)-1]
			return all[:len(all)-1]
		}
	}
	return all
}
