//go:build linux && amd64

package rollback

import (
	"bytes"
	"os"
	"sync"
)

// A mapping may be large and hold little: V8 reserves 512 MB for code, malloc has room at its end. To protect a page
// that is not there takes an entry of a page table. So parts of which the snapshot has no page are areas of their own,
// which are hollow: nothing is protected there, and no page has been noted until one is written to. A page that comes
// to be there is a fault, as any first write is, and counts as written until it is protected:
//
//	snapshot   no page, no page table
//	call       writes to one: the kernel makes both
//	rollback   a scan names what is there and not protected; it is zeroed and protected, or dropped
//
// What is dropped is as it was, and needs no protection.

// tableSize is how much memory one page table is for: parts begin and end with one.
const tableSize = 512 * pageSize

// mostHollow is how large a hollow area is at most: when one is written to, each of its pages is noted.
const mostHollow = 16 << 20

// newPages is what a scan of hollow areas looks for.
var newPages = query{flags: scanCheckAsync, mask: isWritten, anyOf: isPresent | isSwapped}

// areasOf are the areas of a mapping: one, but for those with hollow parts.
func (w *Worker) areasOf(m mapping, jit bool) ([]area, error) {
	if jit || !m.writable() || !m.anonymous() || hugePages() {
		return []area{{mapping: m, jit: jit}}, nil
	}
	var all []area
	from, empty := m.start, m.start // what no area has yet, and from where on nothing was found
	add := func(end uint64, hollow bool) {
		if from < end {
			part := area{mapping: m, hollow: hollow}
			part.start, part.end = from, end
			all, from = append(all, part), end
		}
	}
	cut := func(end uint64) {
		first, last := (empty+tableSize-1)&^(tableSize-1), end&^(tableSize-1)
		if first < last {
			add(first, false)
			for from < last {
				add(min(from+mostHollow, last), true)
			}
		}
	}
	err := w.walk(scan, m.start, m.end, query{anyOf: isPresent | isSwapped}, func(start, end uint64) error {
		cut(start)
		empty = end
		return nil
	})
	cut(m.end)
	add(m.end, false)
	return all, err
}

// note has the pages of an area noted from now on, if they were not: it was hollow.
func (a *area) note() {
	if a.hollow && a.state == nil {
		a.makeNotes()
	}
}

func (a *area) makeNotes() {
	n := a.mapping.pages()
	a.pages, a.state = make([]*page, n), make([]uint8, n)
	a.heat, a.slot = make([]uint8, n), make([]int16, n)
}

// hugePages says whether the kernel gives huge pages to who does not ask for them. Then a first write might take 2 MB
// where there is no page table; entries of one prevent that.
var hugePages = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	return err == nil && bytes.Contains(text, []byte("[always]"))
})
