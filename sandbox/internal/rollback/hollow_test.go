//go:build linux && amd64

package rollback

import (
	"slices"
	"testing"
)

// hollow is how many areas of the snapshot are hollow, and how many of them have notes of pages.
func (b *bed) hollow() (all, noted int) {
	for i := range b.snap.areas {
		if a := &b.snap.areas[i]; a.hollow {
			all++
			if a.state != nil {
				noted++
			}
		}
	}
	return all, noted
}

func needHollow(t *testing.T) {
	t.Helper()
	if hugePages() {
		t.Skip("the kernel gives huge pages to who does not ask for them: no part is hollow here")
	}
}

// What a call writes where the snapshot has no page, and nothing is protected, is undone: once, and again and again.
func TestWritesToHollowPartsAreUndone(t *testing.T) {
	needHollow(t)
	for _, kinds := range []string{"3", "4", "33", "44", "34", "4334", "333333", "444444"} {
		t.Run(kinds, func(t *testing.T) {
			b := newBed(t, nil)
			if all, noted := b.hollow(); all == 0 || noted != 0 {
				t.Fatalf("%d parts are hollow, %d have notes", all, noted)
			}
			for _, kind := range []byte(kinds) {
				b.call(kind)
				b.must(b.rollBack())
			}
			if left := b.call('a'); left != 0 {
				t.Errorf("the next call finds %b", left)
			}
			b.must(b.rollBack())
			if all, noted := b.hollow(); noted == 0 || noted > 1 && noted == all {
				t.Errorf("of %d parts %d have notes", all, noted)
			}
		})
	}
}

// A page in a hollow part that a scan does not name is found by the comparison.
func TestANewPageThatTheScanMissesIsFound(t *testing.T) {
	needHollow(t)
	b := newBed(t, func(w *Worker) {
		w.scan = func(pagemap int, start, end uint64, q query, into []region) (int, uint64, error) {
			n, stopped, err := scan(pagemap, start, end, q, into)
			if q == newPages {
				n = 0
			}
			return n, stopped, err
		}
	})
	b.call('3')
	if cause := causeOf(t, b.rollBack()); cause != Unproven {
		t.Errorf("got %q", cause)
	}
}

// Mappings are cut at page tables, and hollow parts are not too large.
func TestHollowPartsAreWholePageTables(t *testing.T) {
	needHollow(t)
	b := newBed(t, nil)
	at := slices.IndexFunc(b.snap.areas, func(a area) bool { return a.hollow })
	if at < 0 {
		t.Fatal("no part is hollow")
	}
	for _, a := range b.snap.areas[at:] {
		size := a.end - a.start
		if a.hollow && (a.start%tableSize != 0 || size == 0 || size%tableSize != 0 || size > mostHollow) {
			t.Errorf("%#x-%#x is hollow", a.start, a.end)
		}
	}
}
