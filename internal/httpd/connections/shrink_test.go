package connections

import "testing"

func TestBodiesAreGivenBackOnce(t *testing.T) {
	b := NewBodies(1000)
	q := &request{conn: &Conn{}}
	if !b.take(q, 300) || !b.take(q, 200) {
		t.Fatal("no room")
	}
	b.shrink(q, 200)
	if got := b.Stats().Used; got != 300 {
		t.Errorf("%d bytes are used", got)
	}
	b.give(q) // as when the connection is closed while a step runs
	b.shrink(q, 300)
	if got := b.Stats().Used; got != 0 || len(b.peers) != 0 {
		t.Errorf("%d bytes are used by %d", got, len(b.peers))
	}
}
