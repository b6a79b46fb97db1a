//go:build linux && amd64

package rollback

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Mappings that no call may write to, such as code of Node.js, are not kept: most of their pages are those of a file.
// The others, which the loader or V8 has written before they became constant, are known by their sums.

// sum tells whether a page holds what it did.
type sum struct {
	page int // of its area
	hash uint64
}

// ownPages are pages that are no file's, and not the page of zeros.
var ownPages = query{mask: isOfFile | isZeros | isPresent, inverted: isOfFile | isZeros}

// code is a copy of code beside the file that it is of: all workers of a Store have the same.
type code struct {
	span
	file uint64 // its inode
}

// sumConstant notes the sums of the pages of an area that are not those of a file. Beside is that next to it; 0 for
// none.
func (w *Worker) sumConstant(a *area, beside uint64) (err error) {
	if a.anonymous() && a.prot&unix.PROT_EXEC != 0 && beside != 0 {
		a.sums, err = w.store.sumCode(code{span{a.start, a.end}, beside}, func() ([]sum, error) { return w.sums(a) })
	} else {
		a.sums, err = w.sums(a)
	}
	return err
}

func (w *Worker) sums(a *area) (all []sum, err error) {
	err = w.eachOwnPage(a, func(i int, content []byte) error {
		all = append(all, sum{i, w.store.sum(content)})
		return nil
	})
	return all, err
}

// compareConstant compares the pages of an area that are not those of a file. One that has become so, by a write, is in
// memory, or in swap and counts as written.
func (w *Worker) compareConstant(a *area) error {
	const what = "a page that is not writable was written to"
	found := make([]bool, len(a.sums))
	err := w.eachOwnPage(a, func(i int, content []byte) error {
		k, ok := slices.BinarySearchFunc(a.sums, i, func(s sum, i int) int { return s.page - i })
		if !ok || a.sums[k].hash != w.store.sum(content) {
			return retire(Unproven, "%s: %#x", what, a.address(i))
		}
		found[k] = true
		return nil
	})
	if err != nil {
		return err
	}
	for k, s := range a.sums { // those in swap
		if found[k] {
			continue
		}
		err := w.eachPage(a, a.address(s.page), a.address(s.page+1), func(i int, content []byte) error {
			if s.hash != w.store.sum(content) {
				return retire(Unproven, "%s: %#x", what, a.address(i))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return w.expectNone(a, what, query{mask: isWritten, anyOf: isPresent | isSwapped})
}

// eachOwnPage calls do for pages that are in memory and not those of a file.
func (w *Worker) eachOwnPage(a *area, do func(i int, content []byte) error) error {
	return w.walk(scan, a.start, a.end, ownPages, func(start, end uint64) error {
		return w.eachPage(a, start, end, do)
	})
}
