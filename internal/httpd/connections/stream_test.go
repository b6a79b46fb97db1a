package connections

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// Requests that run at a time on one connection count like as many connections, and end like them.
func TestEachRequestThatRunsTakesAPlace(t *testing.T) {
	overHTTP2(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Most: 3})
		c := s.dial(t, 1, "")
		for range 3 {
			c.send(t, get("/hold"))
			<-s.begun
		}
		s.awaitOpen(t, 3)
		c.send(t, get("/"))
		fourth := c.h2.wanted[3]
		c.h2.wanted = []uint32{fourth, c.h2.wanted[0], c.h2.wanted[1], c.h2.wanted[2]}
		c.expect(t, http.StatusServiceUnavailable)
		s.dial(t, 2, get("/")).expect(t, http.StatusServiceUnavailable)
		c.send(t, get("/livez")) // probes need no place
		c.h2.wanted = append(c.h2.wanted[3:], c.h2.wanted[:3]...)
		c.expect(t, http.StatusOK)
		for range 3 {
			s.hold <- struct{}{}
		}
		for range 3 {
			c.expect(t, http.StatusOK)
		}
		s.awaitOpen(t, 1)   // places are given back a moment after the answers
		c.send(t, get("/")) // the refusal has not ended the connection
		c.expect(t, http.StatusOK)
		s.awaitIdle(t, 1)
		if got := s.Stats(); got.Refused != 2 || got.Ended != 0 {
			t.Errorf("%+v", got)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		s.awaitOpen(t, 0)
	})
}

// A connection that loses its place gives back those of its streams too.
func TestStreamsLoseTheirPlacesWithTheirConnection(t *testing.T) {
	overHTTP2(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Most: 3})
		c := s.dial(t, 1, "")
		for range 3 { // which wait for the rest of their bodies
			c.send(t, post(10, 1))
			<-s.begun
			c.h2.rest = 0
		}
		eventually(t, "a place", func() bool { return s.dial(t, 2, get("/")).status() == http.StatusOK })
		if !c.ended() {
			t.Error("the connection stays")
		}
		if got := s.Stats(); got.Ended != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// A caller that takes no answer holds a stream for as long as it may, and stops no other one.
func TestAnswerThatIsNotTakenEndsItsStreamAlone(t *testing.T) {
	overHTTP2(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Write: 50 * time.Millisecond})
		for _, path := range []string{"/", "/long"} { // the first is written when its handler is done
			eventually(t, "another answer on the connection", func() bool {
				c := s.dial(t, 1, "")
				defer c.Close()
				c.h2.quiet = true // a machine that stands still for so long ends a connection as well
				_ = c.h2.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize})
				c.send(t, get(path))
				c.expect(t, 0)
				_ = c.h2.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
				c.send(t, get("/livez"))
				return c.status() == http.StatusOK
			})
		}
		s.awaitOpen(t, 0)
	})
}

// Requests that are given up at once, again and again, run no more at a time than others, and leave nothing behind.
func TestRapidResetsAreBounded(t *testing.T) {
	overHTTP2(t, func(t *testing.T, over transport) {
		const places = 20
		s := over.start(t, Options{Most: places})
		c := s.dial(t, 1, "")
		done := make(chan struct{})
		go func() { // takes what the server says, as a client would
			defer close(done)
			_, _ = io.Copy(io.Discard, c.Conn)
		}()
		for range 2000 {
			c.h2.sendQuietly(get("/hold"))
			if s.Stats().Open > places+Reserve {
				t.Fatal("more run than there are places")
			}
		}
		_ = c.Close() // the server may have hung up
		<-done
		s.awaitOpen(t, 0)
		s.dial(t, 1, get("/")).expect(t, http.StatusOK)
	})
}

func TestLongHeadersOfStreamsCountAsBodies(t *testing.T) {
	overHTTP2(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Bodies: NewBodies(40_000)})
		long := "\r\nX: " + strings.Repeat("x", 30_000)
		held := s.dial(t, 1, "GET /hold HTTP/1.1"+long+"\r\n\r\n")
		<-s.begun
		if used := s.Bodies.Stats().Used; used < 30_000 {
			t.Errorf("%d bytes are used", used)
		}
		s.dial(t, 2, "GET / HTTP/1.1"+long+"\r\n\r\n").expect(t, http.StatusServiceUnavailable)
		s.hold <- struct{}{}
		held.expect(t, http.StatusOK)
		eventually(t, "all memory back", func() bool { return s.Bodies.Stats().Used == 0 })
	})
}

func TestGoClientSpeaksHTTP2(t *testing.T) {
	overHTTP2(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Most: 1000})
		var protocols http.Protocols
		protocols.SetHTTP2(over.tls != nil)
		protocols.SetUnencryptedHTTP2(over.tls == nil)
		client := &http.Client{Transport: &http.Transport{
			Protocols:       &protocols,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		}}
		defer client.CloseIdleConnections()
		url := "http://" + s.address
		if over.tls != nil {
			url = "https://" + s.address
		}
		var all sync.WaitGroup
		for range 300 { // more than one connection has streams
			all.Go(func() {
				response, err := client.Post(url+"/body", "text/plain", strings.NewReader(strings.Repeat("x", 100_000)))
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				text, err := io.ReadAll(response.Body)
				if response.ProtoMajor != 2 || string(text) != "done" || err != nil {
					t.Errorf("%s, %d: %q, %v", response.Proto, response.StatusCode, text, err)
				}
			})
		}
		all.Wait()
	})
}

// What speaks HTTP/1.1 is served as before where HTTP/2 is on, and what begins like HTTP/2 is refused where it is off.
func TestBothVersionsAreToldApart(t *testing.T) {
	s := transport{h2: true}.start(t, Options{})
	old := &rig{Port: New(s.Listener, Options{}), address: s.address}
	old.dial(t, 1, get("/")).expect(t, http.StatusOK)
	old.dial(t, 1, "PRI /names HTTP/1.1\r\nHost: a\r\n\r\n").expect(t, http.StatusOK)

	s = start(t, Options{})
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := newH2Caller(t, conn)
	if frame, err := c.framer.ReadFrame(); err == nil {
		t.Errorf("answered %v", frame)
	}
}

// Only what net/http writes before a handler serves the request is asked about.
func TestAnswersOfHandlersAreNotTakenForErrors(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		errors := func([]byte) ([]byte, bool) {
			return []byte("HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n"), true
		}
		s := over.start(t, Options{Errors: errors})
		s.dial(t, 1, get("/")).expect(t, http.StatusOK)
		if !over.h2 {
			s.dial(t, 1, "GET / HTTP/1.1\r\n\r\n").expect(t, http.StatusTeapot)
		}
	})
}
