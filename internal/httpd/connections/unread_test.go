package connections

import (
	"io"
	"net/http"
	"testing"
)

// It is seen what a caller takes while an answer is written, and the answer can be ended meanwhile.
func TestCallersOfStreamsAreSeenToReadAndCutOff(t *testing.T) {
	overHTTP1(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{})
		c := s.dial(t, 1, get("/stream"))
		r := <-s.streams
		const half = longAnswer / 2
		if _, err := io.CopyN(io.Discard, c, half); err != nil {
			t.Fatal(err)
		}
		eventually(t, "what was read to be taken", func() bool { return TakenBy(r) >= half })
		Cut(r)
		<-s.left
		if n, _ := io.Copy(io.Discard, c); n >= half { // an error says how it was cut off
			t.Errorf("%d more bytes came", n)
		}
	})
}

// Over HTTP/2 a stream ends alone.
func TestAStreamOverHTTP2IsCutOffAlone(t *testing.T) {
	overHTTP2(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{})
		c := s.dial(t, 1, "")
		c.send(t, get("/stream"))
		Cut(<-s.streams)
		<-s.left
		c.send(t, get("/"))
		c.h2.wanted = c.h2.wanted[1:]
		c.expect(t, http.StatusOK)
	})
}
