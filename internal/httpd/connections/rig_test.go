package connections

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testPatience bounds the wait for what must come about; only a broken port makes a test wait that long.
const testPatience = 60 * time.Second

// rig is a port that serves on the loopback interface.
type rig struct {
	*Port
	address string
	// hold is read by requests of /hold before they are answered; begun has a value for each that has begun.
	hold, begun chan struct{}
	streams     chan *http.Request // has those of /stream
	left        chan struct{}      // has one for each of them whose context has ended
}

// transport is what a rig and its callers speak.
type transport struct {
	name string
	tls  *tls.Config // of the server; nil for none
	h2   bool
}

// overEach runs a test over every transport.
func overEach(t *testing.T, test func(t *testing.T, over transport)) {
	t.Helper()
	overHTTP1(t, test)
	overHTTP2(t, test)
}

// overHTTP1 is for tests whose callers send what HTTP/2 does not have.
func overHTTP1(t *testing.T, test func(t *testing.T, over transport)) {
	t.Helper()
	each(t, test, transport{"h1", nil, false}, transport{"TLS", serverTLS(), false})
}

// overHTTP2 is for tests of what HTTP/1.1 does not have.
func overHTTP2(t *testing.T, test func(t *testing.T, over transport)) {
	t.Helper()
	each(t, test, transport{"h2c", nil, true}, transport{"h2", serverTLS(), true})
}

func each(t *testing.T, test func(t *testing.T, over transport), transports ...transport) {
	t.Helper()
	for _, over := range transports {
		t.Run(over.name, func(t *testing.T) { test(t, over) })
	}
}

// start serves HTTP/1.1 on a port with o.
func start(t *testing.T, o Options) *rig { t.Helper(); return transport{}.start(t, o) }

// start serves on a port with o; what o leaves out is generous.
func (over transport) start(t *testing.T, o Options) *rig {
	t.Helper()
	o.TLS, o.HTTP2 = over.tls, over.h2
	for _, timeout := range []*time.Duration{&o.Read, &o.Body, &o.Write} {
		if *timeout == 0 {
			*timeout = time.Hour
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Probe = func(r *http.Request) bool { return r.URL.Path == "/livez" }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rig{
		Port: New(l, o), address: l.Addr().String(),
		streams: make(chan *http.Request, 1),
		hold:    make(chan struct{}), begun: make(chan struct{}, 1000), left: make(chan struct{}, 1000),
	}
	server := &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Hour, ReadTimeout: o.Read}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(server) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

func (s *rig) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/hold":
		s.begun <- struct{}{}
		select {
		case <-s.hold:
		case <-r.Context().Done():
			s.left <- struct{}{}
			return
		}
	case "/body":
		if !Grow(r, int(max(r.ContentLength, 0))) {
			w.Header().Set("Connection", "close") // the body is not waited for
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.begun <- struct{}{}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	case "/paced":
		Paced(r)
		for range 2 {
			s.begun <- struct{}{}
			<-s.hold
			if _, err := io.ReadFull(r.Body, make([]byte, 1)); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
	case "/tls":
		if r.TLS == nil || !r.TLS.HandshakeComplete {
			w.WriteHeader(http.StatusNotFound)
		}
		return
	case "/names":
		_, _ = io.Copy(io.Discard, r.Body) // an error shows in what comes next
		_, _ = io.WriteString(w, strings.ReplaceAll(strings.TrimSuffix(HeaderNames(r), "\n"), "\n", " "))
		return
	case "/stream":
		BeginStream(r)
		s.streams <- r
		_, _ = w.Write(make([]byte, longAnswer)) // the caller is cut off
		s.left <- struct{}{}
		return
	case "/long":
		s.begun <- struct{}{}
		_, _ = w.Write(make([]byte, longAnswer)) // the caller may be gone
		return
	}
	_, _ = io.WriteString(w, "done") // as above
}

// longAnswer is more than the buffers of a connection hold.
const longAnswer = 24 << 20

// caller is a connection to a rig.
type caller struct {
	net.Conn
	answers *bufio.Reader
	h2      *h2caller // nil for HTTP/1.1
}

// dial connects from 127.0.0.n and sends text.
func (s *rig) dial(t *testing.T, n int, text string) *caller {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(n))}}
	conn, err := dialer.DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testPatience)); err != nil {
		t.Fatal(err)
	}
	if s.TLS != nil {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	c := &caller{conn, bufio.NewReader(conn), nil}
	if s.HTTP2 {
		c.h2 = newH2Caller(t, conn)
	}
	c.send(t, text)
	return c
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n" }

func (c *caller) send(t *testing.T, text string) {
	t.Helper()
	if c.h2 != nil {
		c.h2.send(t, text)
		return
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// status reads one answer; it is 0 when there is none.
func (c *caller) status() int {
	if c.h2 != nil {
		return c.h2.answer()
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}

func (c *caller) expect(t *testing.T, want int) {
	t.Helper()
	if got := c.status(); got != want {
		t.Fatalf("answered %d, want %d", got, want)
	}
}

// ended says whether the server has hung up, once it has or has answered.
func (c *caller) ended() bool {
	if c.h2 != nil {
		return c.h2.ended()
	}
	_, err := c.answers.Peek(1)
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// eventually returns when done says so.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(testPatience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited for " + what)
		}
	}
}

func (s *rig) awaitOpen(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d connections", n), func() bool { return s.Stats().Open == n })
}

// awaitIdle waits until n connections with places have been answered.
func (s *rig) awaitIdle(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d idle connections", n), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		found := 0
		for _, p := range s.places.peers {
			for c := p.phases[idle].first; c != nil; c = c.after {
				found++
			}
		}
		return found == n
	})
}

// post is a request with a body of so many bytes, of which some are sent.
func post(size, sent int) string {
	return fmt.Sprintf("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", sent))
}
