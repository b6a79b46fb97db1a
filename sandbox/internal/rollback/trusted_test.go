//go:build linux && amd64

package rollback

import "testing"

// Code that runs before the snapshot cannot have the stub do something else, or read another list.
func TestNothingThatIsTrustedChangesBeforeTheSnapshot(t *testing.T) {
	for kind, want := range map[byte]Cause{'a': "", 'b': "", ':': Fixed, ';': Fixed, '<': Mapping} {
		t.Run(string(kind), func(t *testing.T) {
			b := startBed(t)
			b.must(b.AwaitPark(b.ctx()))
			b.must(b.Release())
			if failed := b.call(kind); failed != 0 {
				t.Fatalf("it answers %d", failed)
			}
			b.must(b.AwaitPark(b.ctx()))
			if cause := causeOf(t, b.Snapshot(b.ctx())); cause != want {
				t.Errorf("got %q, want %q", cause, want)
			}
		})
	}
}
