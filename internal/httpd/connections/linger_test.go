package connections

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// large is more than the buffers of a connection hold.
const large = 64 << 20

// TestRefusedCallersThatSendAllFirstSeeWhy has callers that read no answer before they have sent their request, as many
// libraries do. A reset would end what they send.
func TestRefusedCallersThatSendAllFirstSeeWhy(t *testing.T) {
	overHTTP1(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Bodies: NewBodies(1000)})
		length := fmt.Sprintf("Content-Length: %d\r\n", large)
		for name, header := range map[string]string{
			"kept":        length,
			"closed":      "Connection: close\r\n" + length,
			"of HTTP/1.0": length + "X-Version: HTTP/1.0\r\n",
		} {
			t.Run(name, func(t *testing.T) {
				text := "POST /body HTTP/1.1\r\nHost: a\r\n" + header + "\r\n"
				if strings.Contains(header, "HTTP/1.0") {
					text = strings.Replace(text, "HTTP/1.1", "HTTP/1.0", 1)
				}
				c := s.dial(t, 1, text)
				if _, err := io.CopyN(c, zeros{}, large); err != nil {
					t.Fatal(err)
				}
				c.expect(t, http.StatusServiceUnavailable)
				if !c.ended() {
					t.Error("the connection stays open")
				}
			})
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Neither one who sends nothing more nor one who does not stop keeps the connection.
func TestRefusedCallersAreNotWaitedForWithoutEnd(t *testing.T) {
	overHTTP1(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Bodies: NewBodies(1000), Body: time.Millisecond})
		silent := s.dial(t, 1, post(large, 1))
		silent.expect(t, http.StatusServiceUnavailable)
		s.awaitOpen(t, 0)

		s = over.start(t, Options{Bodies: NewBodies(1000), Read: time.Second})
		busy := s.dial(t, 1, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n")
		if _, err := io.Copy(busy, zeros{}); err == nil {
			t.Error("it can send for as long as it likes")
		}
		s.awaitOpen(t, 0)
	})
}

// A refused caller holds neither memory nor a place that others want.
func TestRefusedCallersHoldNothing(t *testing.T) {
	overHTTP1(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Most: 2, Bodies: NewBodies(1000)})
		for range 2 {
			s.dial(t, 1, post(large, 1)).expect(t, http.StatusServiceUnavailable)
		}
		eventually(t, "the place", func() bool { return s.dial(t, 2, get("/")).status() == http.StatusOK })
		if used := s.Bodies.Stats().Used; used != 0 {
			t.Errorf("%d bytes are used", used)
		}
	})
}
