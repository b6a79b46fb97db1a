package connections

import "testing"

func TestBodiesAreGivenBackOnce(t *testing.T) {
	b := NewBodies(1000)
	c := &Conn{}
	if !b.take(c, 300) || !b.take(c, 200) {
		t.Fatal("no room")
	}
	b.shrink(c, 200)
	if got := b.Stats().Used; got != 300 {
		t.Errorf("%d bytes are used", got)
	}
	b.give(c) // as when the connection is closed while a step runs
	b.shrink(c, 300)
	if got := b.Stats().Used; got != 0 || len(b.peers) != 0 {
		t.Errorf("%d bytes are used by %d", got, len(b.peers))
	}
}
