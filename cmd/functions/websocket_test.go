package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/backstage/functions/internal/testenv"
)

// TestWebSocketsOfNode has clients of Node.js talk to functions on old and new runtimes.
func TestWebSocketsOfNode(t *testing.T) {
	s := startServer(t, "WEBSOCKET_CONNECTIONS=100", "RUN_PORT=0", runtimesVariable(t, "node8", "node24"))
	run := "http://127.0.0.1:" + s.logs.said(t, `listening for runs alone on port (\d+)`)
	if status, answer := request(t, "PUT", s.url+"/routes/ws", `{"path":"/routed","function":"ws/echo"}`); status != 200 {
		t.Fatal(answer)
	}
	for _, client := range []string{"node22", "node24"} {
		for _, runtime := range []string{"node8", "node24"} {
			t.Run(client+" to "+runtime, func(t *testing.T) {
				found := runClient(t, client, s.url, run, runtime)
				for name, want := range map[string]string{
					"plain": `{"event":"none"}`, "welcome": `"one /below ann"`, "protocol": `"a"`, "text": `"one hé"`,
					"bytes": `[0,255]`, "long": "100004", "posted": "204", "post": `"posted"`,
					"shown": `[true,"echo","a","127.0.0.1",true]`, "foreign": "404", "redeployed": `"two again"`,
					"refused": `"error"`, "closed": `"4001 bye"`, "routed": `"two / route"`, "ended": "204",
					"hangup": `"4002 enough"`, "gone": "404", "deleted": `"1001 the function is gone"`, "failed": "",
				} {
					if got := string(found[name]); got != want {
						t.Errorf("%s: %s, want %s", name, got, want)
					}
				}
			})
		}
	}
	s.awaitMetric(t, "functions_websocket_connections 0")
}

// TestWebSocketEventsOfWebHandlers has web handlers called for what happens on connections, and the access log tell of
// their ends.
func TestWebSocketEventsOfWebHandlers(t *testing.T) {
	const code = `export default {
		async fetch(request, env, ctx) {
			const { searchParams } = new URL(request.url)
			if (ctx.event === undefined) return new Response('a call')
			if (ctx.event === 'open') {
				if (searchParams.has('no')) return new Response('no', { status: 403 })
				return new Response(request.method + ' ' + searchParams.get('a'), { headers: { 'x-opened': 'yes' } })
			}
			if (ctx.event === 'close') {
				const { code, reason } = await request.json()
				console.log('closed', ctx.connectionId.length > 20, code, reason, searchParams.get('a'))
				return new Response()
			}
			if (request.headers.get('content-type') === 'application/octet-stream') {
				return new Response(new Uint8Array(await request.arrayBuffer()).reverse())
			}
			const text = await request.text()
			if (text === 'nothing') return new Response(null, { status: 204 })
			return new Response(request.method + ' ' + text + ' ' + searchParams.get('a'))
		}
	}`
	names := []string{"node20", "node22", "node24"}
	s := startServer(t, "WEBSOCKET_CONNECTIONS=10", runtimesVariable(t, names...))
	for _, runtime := range names {
		t.Run(runtime, func(t *testing.T) {
			path := "/functions/ws/" + runtime
			put(t, s.url+path, code, `"websocket":{},"globals":"web","runtime":"`+runtime+`"`)
			if _, answer := request(t, http.MethodGet, s.url+path+"/run", ""); answer != "a call" {
				t.Error(answer)
			}
			refused := s.dialRaw(t, "GET "+path+"/run?no=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
			if res, err := http.ReadResponse(bufio.NewReader(refused), nil); err != nil || res.StatusCode != http.StatusForbidden {
				t.Errorf("%v, %v", res, err)
			}
			socket := s.open(t, path+"/run?a=1")
			expect := func(want string) {
				t.Helper()
				if got := socket.frame(t); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			expect("GET 1")
			socket.say("nothing")
			socket.say("hi")
			expect("POST hi 1")
			_, _ = socket.Write([]byte{0x82, 0x83, 0, 0, 0, 0, 0, 1, 255}) // an error shows in what is read
			expect("\xff\x01\x00")
			_, _ = socket.Write([]byte{0x88, 0x85, 0, 0, 0, 0, 0x0f, 0xa1, 'b', 'y', 'e'}) // as above
			expect("\x0f\xa1bye")
			s.logs.await(t, `(WEBSOCKET `+path+`/run\?a=1 4001 17 - \d+\.\d+ ms `+
				`received 3 messages, 12 bytes; sent 3 messages, 17 bytes)`)
			s.logs.await(t, `closed (true) 4001 bye 1`)
		})
	}
}

// runClient runs testdata/websocket.js and returns the results that it prints.
func runClient(t *testing.T, node string, args ...string) (found map[string]json.RawMessage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	binary := "testdata/runtimes/node_modules/" + node + "/bin/node"
	cmd := exec.CommandContext(ctx, binary, append([]string{"testdata/websocket.js"}, args...)...)
	cmd.Stderr = os.Stderr
	printed, err := cmd.Output()
	if err != nil || json.Unmarshal(printed, &found) != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	return found
}

// opened is a WebSocket connection of which frames are read as they come.
type opened struct {
	net.Conn
	*bufio.Reader
}

// open opens a connection at path of the server.
func (s *server) open(t *testing.T, path string) *opened {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return upgrade(t, conn, path)
}

// upgrade makes conn a WebSocket connection at path.
func upgrade(t *testing.T, conn net.Conn, path string) *opened {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path)
	o := &opened{conn, bufio.NewReaderSize(conn, 512)}
	res, err := http.ReadResponse(o.Reader, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("opened with %v, %v", res, err)
	}
	return o
}

// frame is the payload of the next frame, which is short, but for pings.
func (o *opened) frame(t *testing.T) string {
	t.Helper()
	for {
		head := make([]byte, 2)
		for i := range head {
			b, err := o.ReadByte()
			if err != nil {
				t.Fatal(err)
			}
			head[i] = b
		}
		payload := make([]byte, head[1])
		for i := range payload {
			payload[i], _ = o.ReadByte() // an error shows in what is wanted
		}
		if head[0] != 0x89 {
			return string(payload)
		}
	}
}

// say sends a short text.
func (o *opened) say(text string) {
	frame := append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
	_, _ = o.Write(frame) // an error shows in what is read
}

// TestIdleWebSocketsNeedNoWorker has many connections and no worker. NIGHTLY=1 makes them 10,000.
func TestIdleWebSocketsNeedNoWorker(t *testing.T) {
	many := 200
	if os.Getenv("NIGHTLY") == "1" {
		many = 10_000
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Max < uint64(many+1000) {
		t.Skipf("the test may have %d descriptors", limit.Max)
	}
	s := startServer(t, fmt.Sprintf("WEBSOCKET_CONNECTIONS=%d", many*5/4+8), "MAX_CONNECTIONS=50", "POOL_PREWARMED=0",
		"WORKER_IDLE_TIMEOUT=1s", "WEBSOCKET_PING_INTERVAL=1h", "WEBSOCKET_IDLE_TIMEOUT=1h")
	put(t, s.url+"/functions/ws/f", `function main(req, res) { res.end(req.event === 'message' ? req.body : '') }`,
		`"websocket":{}`)
	first := s.open(t, "/functions/ws/f/run")
	before := s.metric(t, "process_resident_memory_bytes")
	sockets := []*opened{first}
	for range many - 1 {
		sockets = append(sockets, s.open(t, "/functions/ws/f/run"))
	}
	s.awaitMetric(t, fmt.Sprintf("functions_websocket_connections %d", many))
	for _, state := range []string{"busy", "idle", "waiting", "late"} {
		s.awaitMetric(t, fmt.Sprintf("functions_pool_workers{state=%q} 0", state))
	}
	after := s.metric(t, "process_resident_memory_bytes")
	t.Logf("%d connections, %.1f KiB of the server's memory for each", many, float64(after-before)/1024/float64(many))
	if many == 10_000 && (after-before)/many > 64<<10 {
		t.Errorf("%d bytes for each", (after-before)/many)
	}
	last := sockets[many-1]
	last.say("hi")
	if got := last.frame(t); got != "hi" {
		t.Errorf("got %q", got)
	}
	if status, answer := request(t, "POST", s.url+"/namespaces/ws/connections?function=f", `{"to":"all"}`); status != 204 {
		t.Fatal(answer)
	}
	for _, o := range sockets {
		if got := o.frame(t); got != `{"to":"all"}` {
			t.Fatalf("got %q", got)
		}
	}
	var ending sync.WaitGroup
	codes := make(chan string, many)
	for _, o := range sockets {
		ending.Go(func() {
			codes <- o.frame(t)
			_, _ = o.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 233}) // the caller's part in the end
		})
	}
	s.terminate()
	ending.Wait()
	for range many {
		if got := <-codes; got != "\x03\xe9the server stops" {
			t.Fatalf("ended with %q", got)
		}
	}
}

// TestWebSocketsOfOtherServers has two servers on one Redis, one of which has the connections.
func TestWebSocketsOfOtherServers(t *testing.T) {
	endpoint := "REDIS_ENDPOINT=redis://" + testenv.Redis(t).Addr
	one := startServer(t, endpoint, "WEBSOCKET_CONNECTIONS=10")
	two := startServer(t, endpoint, "WEBSOCKET_CONNECTIONS=10")
	put(t, two.url+"/functions/ws/f", `async function main(req, res) {
		if (req.event === 'open') return res.end(req.connectionId)
		if (req.event === 'message') return res.end()
		res.send([await Backstage.connections.send(req.query.id, 'from a function'),
			await Backstage.connections.close(req.query.id, 4000)])
	}`, `"websocket":{}`)
	socket := one.open(t, "/functions/ws/f/run")
	id := socket.frame(t)
	eventually(t, "the servers to hear each other", func() bool {
		status, _ := request(t, "GET", two.url+"/namespaces/ws/connections/"+id, "")
		return status == http.StatusOK
	})
	for _, path := range []string{"/connections/" + id, "/connections?function=f"} {
		if status, answer := request(t, "POST", two.url+"/namespaces/ws"+path, `"post"`); status != http.StatusNoContent {
			t.Errorf("%s: %d %s", path, status, answer)
		}
		if got := socket.frame(t); got != `"post"` {
			t.Errorf("%s: got %q", path, got)
		}
	}
	if status, _ := request(t, "POST", two.url+"/namespaces/other/connections/"+id, "x"); status != http.StatusNotFound {
		t.Errorf("another namespace: %d", status)
	}
	if _, answer := request(t, "GET", two.url+"/functions/ws/f/run?id="+id, ""); answer != "[true,true]" {
		t.Error(answer)
	}
	if got := socket.frame(t); got != "from a function" {
		t.Errorf("got %q", got)
	}
	if got := socket.frame(t); got != "\x0f\xa0" {
		t.Errorf("ended with %q", got)
	}
	one.kill(t)
	if status, _ := request(t, "POST", two.url+"/namespaces/ws/connections/"+id, "x"); status != http.StatusNotFound {
		t.Errorf("of a server that is gone: %d", status)
	}
}
