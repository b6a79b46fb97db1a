//go:build linux && amd64

package rollback

import "testing"

// Code that runs before the snapshot cannot have the stub do something else, read another list, or be interrupted: in
// one call of several before it, as in the last. Nor can it leave calls a file to write to.
func TestNothingThatIsTrustedChangesBeforeTheSnapshot(t *testing.T) {
	for kind, want := range map[byte]Cause{'a': "", 'b': "", ']': Files, ':': Fixed, ';': Fixed, '<': Mapping, '=': Call, '>': Call} {
		t.Run(string(kind), func(t *testing.T) {
			b := startBed(t)
			b.must(b.AwaitPark(b.ctx()))
			b.must(b.Release())
			if failed := b.call(kind); failed != 0 {
				t.Fatalf("it answers %d", failed)
			}
			b.must(b.AwaitPark(b.ctx()))
			if want == Call {
				b.must(b.Release())
				b.call('a')
				b.must(b.AwaitPark(b.ctx()))
			}
			if cause := causeOf(t, b.Snapshot()); cause != want {
				t.Errorf("got %q, want %q", cause, want)
			}
		})
	}
}
