//go:build linux && amd64

package rollback

import "testing"

// What the kernel counts of a process is not put back, so no call can read it.
func TestNoCallReadsWhatEarlierOnesHaveUsed(t *testing.T) {
	b := newBed(t, nil)
	for range 3 {
		if readable := b.call('2'); readable != 0 {
			t.Errorf("it can read %b", readable)
		}
		b.must(b.rollBack())
		if told := b.call('6'); told != 0 {
			t.Errorf("it can find out where mappings end: %b", told)
		}
		b.must(b.rollBack())
	}
}
