package logs

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// listener is a GELF server.
type listener struct{ net.PacketConn }

func listen(t *testing.T) listener {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return listener{conn}
}

// datagram receives one.
func (l listener) datagram(t *testing.T) []byte {
	t.Helper()
	buffer := make([]byte, 1<<16)
	n, _, err := l.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return buffer[:n]
}

// message receives the datagrams of one message and returns it, and how many they were.
func (l listener) message(t *testing.T) (map[string]any, int) {
	t.Helper()
	first := l.datagram(t)
	if first[0] != 0x1e {
		return inflate(t, first), 1
	}
	id, count := binary.BigEndian.Uint64(first[2:]), int(first[11])
	parts := map[byte][]byte{first[10]: first[12:]}
	for len(parts) < count {
		next := l.datagram(t)
		if next[0] != 0x1e || next[1] != 0x0f || binary.BigEndian.Uint64(next[2:]) != id || int(next[11]) != count {
			t.Fatalf("chunk header % x", next[:12])
		}
		parts[next[10]] = next[12:]
	}
	var whole []byte
	for _, number := range slices.Sorted(maps.Keys(parts)) {
		whole = append(whole, parts[number]...)
	}
	return inflate(t, whole), count
}

func inflate(t *testing.T, packed []byte) map[string]any {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var message map[string]any
	if err := json.Unmarshal(text, &message); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return message
}

// newGELF returns a GELF output to the listeners, with the defaults of the configuration.
func newGELF(t *testing.T, change func(*GELFOptions), to ...listener) *GELF {
	t.Helper()
	o := GELFOptions{
		MaxFullMessage: 3000, MaxChunkSize: 32766, Logger: slog.New(slog.DiscardHandler), Console: NewConsole(io.Discard, io.Discard),
	}
	for _, l := range to {
		o.Addresses = append(o.Addresses, l.LocalAddr().String())
	}
	if change != nil {
		change(&o)
	}
	g, err := NewGELF(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// run reports one run of shop/price.
func (g *GELF) run(header string, status int, lines ...string) {
	run := g.Start(invoke.Call{
		Ref: function.Ref{Namespace: "shop", ID: "price"}, Request: sandbox.Request{Header: json.RawMessage(header)},
	})
	for _, line := range lines {
		level, text, _ := strings.Cut(line, ": ")
		run.Line(sandbox.LogLine{Level: level, Text: text})
	}
	run.Finish(status, 12*time.Millisecond)
}

func TestRunIsOneMessageToEachHost(t *testing.T) {
	first, second := listen(t), listen(t)
	g := newGELF(t, func(o *GELFOptions) {
		o.Fields = map[string]json.RawMessage{
			"app": json.RawMessage(`"shop"`), "zone": json.RawMessage(`7`), "tags": json.RawMessage(`["a"]`), "status": json.RawMessage(`"hidden"`),
			"_pre": json.RawMessage(`"b"`), "_file": json.RawMessage(`"hidden"`),
		}
		o.HeaderFields = map[string]string{"request_id": "X-Request-Id", "none": "x-none", "_group": "host"}
	}, first, second)
	before := time.Now()
	g.run(`{"x-request-id":"abc","host":"h"}`, 200, "info: one", "info: ", "error: two\"")
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []listener{first, second} {
		got, datagrams := l.message(t)
		stamp, _ := got["timestamp"].(float64)
		if at := time.UnixMilli(int64(stamp * 1000)); datagrams != 1 || at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("%d datagrams, timestamp %v", datagrams, got["timestamp"])
		}
		delete(got, "timestamp")
		want := map[string]any{
			"version": "1.0", "host": host, "facility": "node.js", "level": 6.0,
			"short_message": `Function "shop/price.js" was executed with status 200 "OK"`,
			"full_message":  "info: one\nerror: two\"\n",
			"_status":       200.0, "_request_time": 0.012, "_group": "h", "_file": "shop/price.js",
			"_app": "shop", "_pre": "b", "_zone": 7.0, "_tags": `["a"]`, "_request_id": "abc",
		}
		if !maps.Equal(got, want) {
			t.Errorf("message\n%v\nwant\n%v", got, want)
		}
	}
}

// All headers are texts but set-cookie, which is a list.
func TestMessageHasHeadersWhateverElseIsAmongThem(t *testing.T) {
	l := listen(t)
	g := newGELF(t, func(o *GELFOptions) { o.HeaderFields = map[string]string{"user": "x-user", "cookies": "set-cookie"} }, l)
	g.Start(invoke.Call{Request: sandbox.Request{Header: json.RawMessage(`{"set-cookie":["a=1","b=é"],"x-user":"José"}`)}}).Finish(200, 0)
	if got, _ := l.message(t); got["_user"] != "José" || got["_cookies"] != "a=1, b=é" {
		t.Errorf("message %v", got)
	}
}

func TestMessageNamesItsCall(t *testing.T) {
	l := listen(t)
	g := newGELF(t, func(o *GELFOptions) {
		o.Fields = map[string]json.RawMessage{"app": json.RawMessage(`"shop"`)}
		o.HeaderFields = map[string]string{"user": "x-user"}
	}, l)
	run := g.Start(invoke.Call{
		ID: "call-1", Ref: function.Ref{Namespace: "shop", ID: "price"}, Request: sandbox.Request{Header: json.RawMessage(`{"x-user":"ann"}`)},
	})
	run.Line(sandbox.LogLine{Level: "info", Text: "one"})
	run.Finish(500, 12*time.Millisecond)
	if got, _ := l.message(t); got["_request_id"] != "call-1" {
		t.Errorf("message %v", got)
	}
	got := run.(invoke.Summarizer).Fields()
	want := map[string]string{
		"full_message": `"info: one\n"`, "status": "500", "request_time": "0.012", "group": `"shop"`, "file": `"shop/price.js"`,
		"request_id": `"call-1"`, "user": `"ann"`,
	}
	if len(got) != len(want) {
		t.Errorf("fields %s", got)
	}
	for name, value := range want {
		if string(got[name]) != value {
			t.Errorf("field %s is %s, want %s", name, got[name], value)
		}
	}
}

func TestLevelFollowsTheStatus(t *testing.T) {
	l := listen(t)
	g := newGELF(t, nil, l)
	for _, row := range []struct {
		status int
		level  float64
		text   string
	}{{200, 6, "OK"}, {304, 6, "Not Modified"}, {399, 6, ""}, {404, 4, "Not Found"}, {408, 4, "Request Timeout"}, {500, 3, "Internal Server Error"}, {503, 3, "Service Unavailable"}} {
		g.run("{}", row.status)
		got, _ := l.message(t)
		if short, _ := got["short_message"].(string); got["level"] != row.level || !strings.HasSuffix(short, ` "`+row.text+`"`) || got["full_message"] != "" {
			t.Errorf("status %d: %v", row.status, got)
		}
	}
}

func TestFullMessageIsCut(t *testing.T) {
	l := listen(t)
	g := newGELF(t, nil, l)
	for _, row := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"fits", []string{"info: " + strings.Repeat("é", 2993)}, "info: " + strings.Repeat("é", 2993) + "\n"},
		{"one too many", []string{"info: " + strings.Repeat("é", 2994)}, "info: " + strings.Repeat("é", 2994) + "\ntruncated"},
		{"many lines", []string{"info: " + strings.Repeat("a", 2985), "error: bcdefgh", "info: i"}, "info: " + strings.Repeat("a", 2985) + "\nerror: b\ntruncated"},
	} {
		g.run("{}", 200, row.lines...)
		if got, _ := l.message(t); got["full_message"] != row.want {
			t.Errorf("%s: %v", row.name, got["full_message"])
		}
	}
}

func TestLongMessageIsChunked(t *testing.T) {
	l := listen(t)
	noise := make([]byte, 60_000)
	for i := range noise {
		noise[i] = byte('!' + rand.IntN(90))
	}
	g := newGELF(t, func(o *GELFOptions) { o.MaxFullMessage, o.MaxChunkSize = 1<<20, 1420 }, l)
	g.run("{}", 200, "info: "+string(noise))
	got, datagrams := l.message(t)
	if want := "info: " + string(noise) + "\n"; got["full_message"] != want || datagrams < 20 {
		t.Errorf("message of %d datagrams differs", datagrams)
	}
}

func TestChunksFillTheirSize(t *testing.T) {
	message := make([]byte, 1000)
	for i := range message {
		message[i] = byte(i)
	}
	for _, row := range []struct{ length, size, count int }{
		{1000, 1000, 1}, {1000, 999, 2}, {988, 112, 10}, {1000, 112, 10}, {128, 13, 128},
	} {
		parts, err := chunks(message[:row.length], row.size)
		if err != nil || len(parts) != row.count {
			t.Errorf("%+v: %d chunks, %v", row, len(parts), err)
			continue
		}
		var whole []byte
		for i, part := range parts {
			if len(part) > row.size {
				t.Errorf("%+v: chunk of %d bytes", row, len(part))
			}
			if row.count > 1 {
				if part[0] != 0x1e || part[1] != 0x0f || int(part[10]) != i || int(part[11]) != row.count || !bytes.Equal(part[2:10], parts[0][2:10]) {
					t.Errorf("%+v: header % x", row, part[:chunkHeader])
				}
				part = part[chunkHeader:]
			}
			whole = append(whole, part...)
		}
		if !bytes.Equal(whole, message[:row.length]) {
			t.Errorf("%+v: data differs", row)
		}
	}
	if _, err := chunks(message[:129], 13); err == nil {
		t.Error("129 chunks are sent")
	}
}

func TestCloseSendsWhatWaits(t *testing.T) {
	l := listen(t)
	g := newGELF(t, nil, l)
	for range 20 {
		g.run("{}", 200, "info: x")
	}
	g.Close()
	g.Close()
	for range 20 {
		l.message(t)
	}
}

func TestLostMessagesAreReported(t *testing.T) {
	var out bytes.Buffer
	g := newGELF(t, func(o *GELFOptions) {
		o.Addresses = []string{"127.0.0.1:no-such-port"}
		o.Logger = NewApp(AppOptions{Out: &out})
	})
	g.run("{}", 200)
	g.Close()
	if text := out.String(); !strings.HasPrefix(text, "warn: Logs of functions could not be sent messages=1 error=") {
		t.Errorf("log %q", text)
	}
}

func TestFullQueueDropsInsteadOfWaiting(t *testing.T) {
	s := &gelfSender{queue: make(chan *gelfMessage, 1)}
	for range 3 {
		s.send(&gelfMessage{})
	}
	if got := s.lost.Load(); got != 2 {
		t.Errorf("%d lost, want 2", got)
	}
}

func TestTargetComesBackAfterAFailure(t *testing.T) {
	l := listen(t)
	target := &gelfTarget{address: l.LocalAddr().String()}
	if err := target.send([][]byte{make([]byte, 1<<17)}); err == nil {
		t.Error("a datagram of 128 KiB was sent")
	}
	if err := target.send([][]byte{[]byte("next")}); err != nil {
		t.Error(err)
	}
	if got := string(l.datagram(t)); got != "next" {
		t.Errorf("received %q", got)
	}
	target.close()
}

func TestLinesOfNoRunGoToTheConsole(t *testing.T) {
	var out bytes.Buffer
	g := newGELF(t, func(o *GELFOptions) { o.Console = NewConsole(&out, &out) })
	g.Print(function.Ref{Namespace: "a", ID: "b"}, sandbox.LogLine{Level: "info", Text: "x"})
	if want := "info: [namespace:a, id:b] x\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", &out, want)
	}
}

func TestBadGELFOptionsAreRefused(t *testing.T) {
	for _, o := range []GELFOptions{
		{MaxChunkSize: 1420, Fields: map[string]json.RawMessage{"id": json.RawMessage("1")}},
		{MaxChunkSize: 1420, Fields: map[string]json.RawMessage{"_id": json.RawMessage("1")}},
		{MaxChunkSize: 1420, Fields: map[string]json.RawMessage{"a b": json.RawMessage("1")}},
		{MaxChunkSize: 1420, Fields: map[string]json.RawMessage{"a": nil}},
		{MaxChunkSize: 1420, HeaderFields: map[string]string{"": "x"}},
		{MaxChunkSize: 12},
	} {
		if _, err := NewGELF(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestFunctionCannotForgeALineOfAMessage(t *testing.T) {
	l := listen(t)
	g := newGELF(t, nil, l)
	g.run("{}", 200, "info: x\rerror: y\u2028error: z\x1b[2J")
	if got, _ := l.message(t); got["full_message"] != `info: x\rerror: y\u2028error: z\u001b[2J`+"\n" {
		t.Errorf("full message %q", got["full_message"])
	}
}
