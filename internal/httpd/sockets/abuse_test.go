package sockets_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/sandbox"
)

// TestBrokenFramesEndTheirSocket goes through what the Autobahn test suite tries.
func TestBrokenFramesEndTheirSocket(t *testing.T) {
	r := newRig(t, nil)
	long := bytes.Repeat([]byte("x"), 1005)
	unmasked := []byte{fin | text, 2, 'h', 'i'}
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	code := func(code int, reason string) []byte {
		return frame(fin|hangup, append([]byte{byte(code >> 8), byte(code)}, reason...))
	}
	count := 0
	for _, row := range []struct {
		name string
		sent []byte
		want int
	}{
		{"unmasked", unmasked, 1002},
		{"reserved bit 1", frame(fin|0x40|text, []byte("hi")), 1002},
		{"reserved bit 2", frame(fin|0x20|text, []byte("hi")), 1002},
		{"reserved bit 3", frame(fin|0x10|octets, []byte("hi")), 1002},
		{"reserved operation 3", frame(fin|3, []byte("hi")), 1002},
		{"reserved operation 11", frame(fin|11, nil), 1002},
		{"ping in fragments", frame(ping, []byte("hi")), 1002},
		{"long ping", frame(fin|ping, long[:126]), 1002},
		{"continuation of nothing", frame(fin|more, []byte("hi")), 1002},
		{"message within a message", join(frame(text, []byte("a")), frame(fin|text, []byte("b"))), 1002},
		{"negative length", append(header(fin|octets, 1<<63), 1, 2, 3, 4), 1002},
		{"huge length", append(header(fin|octets, 1<<62), long...), 1009},
		{"too long", frame(fin|octets, long), 1009},
		{"too long in fragments", join(frame(octets, long[:600]), frame(more, long[:600]), frame(fin|more, nil)), 1009},
		{"bad UTF-8", frame(fin|text, []byte("\xff")), 1007},
		{"half of a surrogate pair", frame(fin|text, []byte("\xed\xa0\x80")), 1007},
		{"bad UTF-8 in fragments", join(frame(text, []byte("\xe2\x82")), frame(fin|more, []byte("x"))), 1007},
		{"pings without end", bytes.Repeat(frame(fin|ping, []byte("x")), 2000), 1008},
		{"close of one byte", frame(fin|hangup, []byte{3}), 1002},
		{"close with 1005", code(1005, ""), 1002},
		{"close with 999", code(999, ""), 1002},
		{"close with 2000", code(2000, ""), 1002},
		{"close with 1000", code(1000, "bye"), 1000},
		{"close with 4999", code(4999, strings.Repeat("x", 123)), 4999},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := r.dial(t)
			go c.write(row.sent)
			if got := c.end(); got != row.want {
				t.Errorf("ended with %d, want %d", got, row.want)
			}
			_ = c.Close()
			count++
			if got := r.closes(t, count); got.Code != row.want {
				t.Errorf("the function was told %d, want %d", got.Code, row.want)
			}
		})
	}
}

func TestOddFramesAreMessages(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	most := strings.Repeat("x", 1000)
	for _, row := range []struct {
		sent  [][]byte
		first byte
		want  string
	}{
		{[][]byte{frame(fin|text, []byte("hé"))}, fin | text, "hé"},
		{[][]byte{frame(fin|octets, []byte("\xff\x00"))}, fin | octets, "\xff\x00"},
		{[][]byte{frame(fin|octets, []byte(most))}, fin | octets, most},
		{[][]byte{frame(text, []byte("\xe2\x82")), frame(fin|ping, []byte("p"))}, fin | pong, "p"},
		{[][]byte{frame(more, nil), frame(fin|more, []byte("\xac"))}, fin | text, "€"},
		{[][]byte{frame(fin|pong, []byte("nobody asked")), frame(fin|text, []byte("a"))}, fin | text, "a"},
		{[][]byte{frame(text, nil), bytes.Repeat(frame(more, nil), 10_000), frame(fin|more, []byte("b"))}, fin | text, "b"},
	} {
		for _, bytes := range row.sent {
			c.write(bytes)
		}
		c.wants(row.first, row.want)
	}
	for _, b := range frame(fin|text, []byte("one byte at a time")) {
		c.write([]byte{b})
	}
	c.wants(fin|text, "one byte at a time")
}

func TestAnEmptyMessageIsOne(t *testing.T) {
	r := newRig(t, nil)
	r.running(func(_ context.Context, e sockets.Event) (*sandbox.Result, error) {
		if e.Kind == sockets.EventMessage && len(e.Data) == 0 {
			return &sandbox.Result{Status: 200, Body: []byte(`"empty"`)}, nil
		}
		return &sandbox.Result{Status: 200}, nil
	})
	c := r.dial(t)
	c.write(frame(fin|text, nil))
	c.wants(fin|text, `"empty"`)
}

func TestSlowAndSilentCallersLoseTheirSockets(t *testing.T) {
	slow := func(o *sockets.Options) { o.Slow = 20 * time.Millisecond }
	deaf := func(o *sockets.Options) { o.Ping = 20 * time.Millisecond }
	for name, row := range map[string]struct {
		sent []byte
		set  func(*sockets.Options)
		want int
	}{
		"half a message":    {frame(fin|text, []byte("hello"))[:8], slow, 1008},
		"endless fragments": {frame(text, []byte("hello")), slow, 1008},
		"no message":        {nil, func(o *sockets.Options) { o.Idle = 20 * time.Millisecond }, 1001},
		"no pong":           {nil, deaf, 1006},
		"half a header":     {[]byte{fin | text}, deaf, 1006},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, row.set)
			c := r.dial(t)
			c.write(row.sent)
			if got := c.end(); got != row.want {
				t.Errorf("ended with %d, want %d", got, row.want)
			}
		})
	}
}

func TestACallerThatAnswersPingsKeepsItsSocket(t *testing.T) {
	r := newRig(t, func(o *sockets.Options) { o.Ping = 50 * time.Millisecond })
	c := r.dial(t)
	for range 3 {
		first, payload := c.read()
		if first != fin|ping {
			t.Fatalf("got frame %#x", first)
		}
		c.write(frame(fin|pong, payload))
	}
}

func TestACallerThatReadsNothingIsRefusedMessages(t *testing.T) {
	message := bytes.Repeat([]byte("x"), 1<<20)
	// sendUntil sends until that is refused with want.
	sendUntil := func(r *rig, want error) {
		t.Helper()
		r.dial(t)
		id := r.newest(t)
		for {
			err := r.hub.Send(t.Context(), ref.Namespace, id, sockets.NewMessage(message, false))
			if errors.Is(err, want) {
				return
			}
			if err != nil && !errors.Is(err, sockets.ErrSlow) {
				t.Fatal(err)
			}
			runtime.Gosched()
		}
	}
	with := func(slow time.Duration) *rig {
		return newRig(t, func(o *sockets.Options) { o.Message, o.Memory, o.Slow = 1<<20, 64<<20, slow })
	}
	sendUntil(with(time.Hour), sockets.ErrSlow)
	r := with(20 * time.Millisecond)
	sendUntil(r, sockets.ErrGone)
	if got := r.closes(t, 1); got.Code != 1006 {
		t.Errorf("the function was told %d", got.Code)
	}
}
