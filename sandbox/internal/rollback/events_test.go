//go:build linux && amd64

package rollback

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Each call finds the counts of event descriptors that the snapshot has, whatever calls do with them: what libuv keeps
// in memory of a count that was not read yet is in the snapshot, too.
func TestEachCallFindsTheCountsOfTheSnapshot(t *testing.T) {
	const read, written = '?', 'w' // 5 more
	for name, row := range map[string]struct {
		before byte
		want   int64
	}{
		"none": {'a', -int64(unix.EAGAIN)},
		"one":  {written, 5},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBed(t)
			b.must(b.AwaitPark(b.ctx()))
			b.must(b.Release())
			b.call(row.before)
			b.must(b.AwaitPark(b.ctx()))
			b.must(b.Snapshot())
			b.must(b.Release())
			for _, kind := range []byte{'a', read, written, 'b', read} {
				got := b.call(kind)
				if kind == read && got != row.want {
					t.Errorf("a call reads %d, want %d", got, row.want)
				}
				b.must(b.rollBack())
			}
			if got := b.call(read); got != row.want {
				t.Errorf("the last call reads %d, want %d", got, row.want)
			}
		})
	}
}
