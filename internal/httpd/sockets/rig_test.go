package sockets_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/connections"
	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// patience bounds waits that only a broken package makes long.
const patience = 30 * time.Second

var ref = function.Ref{Namespace: "ns", ID: "chat"}

// rig is a Hub behind a real port, whose function is run.
type rig struct {
	hub     *sockets.Hub
	port    *connections.Port
	bodies  *connections.Bodies
	address string

	mu     sync.Mutex // guards the fields below
	run    func(ctx context.Context, e sockets.Event) (*sandbox.Result, error)
	events []sockets.Event
	option function.WebSocket
	watch  func(revoke func()) (stop func()) // see sockets.Opening
	gone   bool
	finds  int
	needs  string // the access of the function that sockets need
	access string
	opens  func() // is called before a socket is opened
	told   []sockets.End
}

// newRig starts one. Change may change the options of the Hub.
func newRig(t *testing.T, change func(*sockets.Options)) *rig {
	t.Helper()
	r := &rig{option: function.WebSocket{On: true}, bodies: connections.NewBodies(8 << 20)}
	r.run = func(_ context.Context, e sockets.Event) (*sandbox.Result, error) { return echo(e), nil }
	o := sockets.Options{
		Most: 100, Message: 1000, Memory: 1 << 20, Idle: time.Hour, Ping: time.Hour, Slow: time.Hour, Invoker: r,
		Lease: func(r *http.Request) sockets.Lease { return connections.Hijacked(r) },
	}
	if change != nil {
		change(&o)
	}
	r.hub = sockets.New(o)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = listener.Addr().String()
	r.port = connections.New(listener, connections.Options{
		Name: "test", Most: 10, Read: time.Hour, Body: time.Hour, Write: time.Hour, Bodies: r.bodies,
		Logger: slog.New(slog.DiscardHandler),
	})
	server := &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: time.Hour}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = r.port.Serve(server) // it is closed below
	}()
	t.Cleanup(func() {
		_ = r.port.Close() // callers that linger are not waited for
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r.hub.Close(ctx)
		_ = server.Close()
		<-served
		if s := r.hub.Stats(); s.Open != 0 || s.Waiting != 0 {
			t.Errorf("%d sockets and %d bytes are left", s.Open, s.Waiting)
		}
		if used := r.bodies.Stats().Used; used != 0 {
			t.Errorf("%d bytes of callers are left", used)
		}
	})
	return r
}

// echo answers with what has come.
func echo(e sockets.Event) *sandbox.Result {
	result := &sandbox.Result{Status: 200}
	if e.Kind == sockets.EventMessage {
		result.Bytes = e.Data
		if !e.Binary {
			result.Header = []sandbox.HeaderField{{Name: "content-type", Value: "text/plain"}}
		}
	}
	return result
}

func (r *rig) serve(w http.ResponseWriter, request *http.Request) {
	fn := &function.Function{Ref: ref}
	if namespace := request.Header.Get("X-Namespace"); namespace != "" {
		fn.Namespace = namespace
	}
	r.mu.Lock()
	option := r.option
	r.mu.Unlock()
	fn.Options.WebSocket = &option
	err := sockets.CheckHandshake(w.Header(), request, request.Host, &option)
	var s *sockets.Socket
	if err == nil {
		s, err = r.hub.Admit(fn, "192.0.2.1")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer s.Leave()
	r.mu.Lock()
	opening := sockets.Opening{Request: requestOf, URI: "/run", Watch: r.watch, Access: r.needs, Ended: r.ended}
	opens := r.opens
	r.mu.Unlock()
	if opens != nil {
		opens()
	}
	_ = s.Open(w, request, opening, nil) // the caller may be gone
}

func (r *rig) ended(end sockets.End) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, end)
}

// requestOf has the event in a form that Run reads.
func requestOf(e sockets.Event) sandbox.Request {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return sandbox.Request{Body: text}
}

func (r *rig) Find(context.Context, function.Ref) (invoke.Found, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finds++
	if r.gone {
		return invoke.Found{}, &function.NotFoundError{Ref: ref}
	}
	option, access := r.option, r.access
	options := function.Options{WebSocket: &option, Access: &access}
	return invoke.Found{Function: &function.Function{Ref: ref, Options: options}}, nil
}

func (r *rig) Run(ctx context.Context, call invoke.Call) (*sandbox.Result, error) {
	var e sockets.Event
	if err := json.Unmarshal(call.Request.Body, &e); err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.events = append(r.events, e)
	run := r.run
	r.mu.Unlock()
	return run(ctx, e)
}

// running sets what the function does from now on.
func (r *rig) running(run func(ctx context.Context, e sockets.Event) (*sandbox.Result, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run = run
}

// closes waits for that many events of ends, and returns the last one.
func (r *rig) closes(t *testing.T, n int) (last sockets.Event) {
	t.Helper()
	eventually(t, "events of ends", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		count := 0
		for _, e := range r.events {
			if e.Kind == sockets.EventClose {
				last = e
				count++
			}
		}
		return count == n
	})
	return last
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// caller is a client that writes what it likes.
type caller struct {
	net.Conn
	*bufio.Reader
	t  *testing.T
	id string
}

// dial opens a socket.
func (r *rig) dial(t *testing.T, header ...string) *caller {
	t.Helper()
	c, status := r.handshake(t, header...)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("the handshake was answered %d", status)
	}
	return c
}

func (r *rig) handshake(t *testing.T, header ...string) (*caller, int) {
	t.Helper()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	lines := append([]string{
		"GET / HTTP/1.1", "Host: test", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, header...)
	c := &caller{conn, bufio.NewReader(conn), t, ""}
	c.write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	res, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, res.StatusCode
}

func (c *caller) write(bytes []byte) { _, _ = c.Conn.Write(bytes) } // the server may have hung up

// Operations and bits of frames: RFC 6455, section 5.2.
const (
	more   = 0
	text   = 1
	octets = 2
	hangup = 8
	ping   = 9
	pong   = 10
	fin    = 0x80
)

// frame is one with that first byte, masked.
func frame(first byte, payload []byte) []byte {
	head := header(first, uint64(len(payload)))
	mask := [4]byte{1, 2, 3, 4}
	out := append(head, mask[:]...)
	for i, b := range payload {
		out = append(out, b^mask[i%4])
	}
	return out
}

// header is that of a masked frame, without the mask.
func header(first byte, length uint64) []byte {
	switch {
	case length < 126:
		return []byte{first, 0x80 | byte(length)}
	case length < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(length))
	}
	return binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, length)
}

// read returns the next frame; first is 0 when there is none any more.
func (c *caller) read() (first byte, payload []byte) {
	var head [2]byte
	if _, err := io.ReadFull(c.Reader, head[:]); err != nil {
		return 0, nil
	}
	length := uint64(head[1])
	switch length {
	case 126:
		var long [2]byte
		_, _ = io.ReadFull(c.Reader, long[:])
		length = uint64(binary.BigEndian.Uint16(long[:]))
	case 127:
		var long [8]byte
		_, _ = io.ReadFull(c.Reader, long[:])
		length = binary.BigEndian.Uint64(long[:])
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(c.Reader, payload); err != nil {
		return 0, nil
	}
	return head[0], payload
}

// end reads until the server closes, and returns its code; 1006 when it does not tell one.
func (c *caller) end() int {
	for {
		switch first, payload := c.read(); {
		case first == 0:
			return 1006
		case first == fin|hangup && len(payload) >= 2:
			c.write(frame(fin|hangup, payload))
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

// wants reads a message.
func (c *caller) wants(first byte, payload string) {
	c.t.Helper()
	if got, bytes := c.read(); got != first || string(bytes) != payload {
		c.t.Fatalf("got frame %#x with %d bytes %.40q, want %#x with %.40q", got, len(bytes), bytes, first, payload)
	}
}
