package egress_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// natives gives attacks what a function can get hold of: the modules beneath request, and the handles beneath their sockets.
const natives = `
const until = (emitter, ...names) => new Promise(resolve => names.forEach(name => emitter.once(name, value => resolve([name, value]))));
async function natives(url) {
  const open = async () => {
    const r = request(url);
    r.on('error', () => {});
    const [, socket] = await until(r, 'socket');
    await until(socket, 'connect');
    return [r, socket, socket._handle.constructor];
  };
  const [r, socket, Pipe] = await open();
  const Socket = socket.constructor;
  const { connect } = Pipe.prototype;
  let Wrap;
  Pipe.prototype.connect = function spy(wrap, path) { Wrap = wrap.constructor; return connect.call(this, wrap, path) };
  await open();
  Pipe.prototype.connect = connect;
  const wrap = () => Object.assign(new Wrap(), { oncomplete() {} });
  const raw = new Socket();
  try { raw.connect({ port: -1 }) } catch (e) {}
  const http = r.httpModule;
  const TCP = raw._handle && raw._handle.constructor;
  return { http, Socket, Pipe, TCP, wrap };
}
// talk sends text to a path by a bare handle and returns what comes back.
async function talk(n, path, text) {
  const pipe = new n.Pipe(0);
  const failed = await new Promise(done => { const e = pipe.connect(Object.assign(n.wrap(), { oncomplete: done }), path); if (e) done(e) });
  if (failed) return String(failed);
  const socket = new n.Socket({ handle: pipe, readable: true, writable: true });
  socket.on('error', () => {});
  let got = '';
  socket.on('data', d => { got += d });
  socket.write(text);
  await Promise.race([until(socket, 'end', 'close'), new Promise(r => setTimeout(r, 300))]);
  socket.destroy();
  return got;
}
`

// attacks try to reach VICTIM ("host:port", on the inside) with front, a server that may be reached. Their result does not matter; that the
// victim hears nothing does.
var attacks = map[string]string{
	"plain":                        `await get('http://VICTIM/')`,
	"fetch":                        `await fetch('http://VICTIM/')`,
	"by name":                      `await get('http://localhost:PORT/')`,
	"by name with a dot":           `await get('http://localhost.:PORT/')`,
	"decimal":                      `await get('http://2130706433:PORT/')`,
	"hexadecimal":                  `await get('http://0x7f000001:PORT/')`,
	"octal":                        `await get('http://0177.0.0.1:PORT/')`,
	"short":                        `await get('http://127.1:PORT/')`,
	"zero":                         `await get('http://0:PORT/')`,
	"unspecified":                  `await get('http://0.0.0.0:PORT/')`,
	"IPv6 loopback":                `await get('http://[::1]:PORT/')`,
	"IPv4-mapped":                  `await get('http://[::ffff:127.0.0.1]:PORT/')`,
	"NAT64":                        `await get('http://[64:ff9b::7f00:1]:PORT/')`,
	"6to4":                         `await get('http://[2002:7f00:1::]:PORT/')`,
	"full-width":                   `await get('http://１２７.0.0.1:PORT/')`,
	"user part":                    `await get('http://good.example@VICTIM/')`,
	"backslash":                    `await get('http:\\\\VICTIM/')`,
	"redirect":                     `await get(front + '/redirect?to=http://VICTIM/')`,
	"redirect by fetch":            `await fetch(front + '/redirect?to=http://VICTIM/')`,
	"redirect with another method": `await get({ url: front + '/redirect?to=http://VICTIM/', method: 'POST', followAllRedirects: true })`,
	"host header":                  `await get({ url: front, headers: { host: 'VICTIM' } })`,
	"line break in the host":       `await get({ uri: { protocol: 'http:', hostname: 'good.example\nCONNECT VICTIM', port: PORT, host: 'x', path: '/', pathname: '/' } })`,
	"HTTP proxy":                   `await get({ url: 'http://good.example/', proxy: 'http://VICTIM' })`,
	"HTTPS through a proxy":        `await get({ url: 'https://good.example/', proxy: 'http://VICTIM' })`,
	"lookup of one's own":          `await get({ url: 'http://good.example:PORT/', lookup: (h, o, done) => done(null, '127.0.0.1', 4) })`,
	"rebinding":                    `for (let i = 0; i < 3; i++) await get('http://rebind.example:PORT/')`,
	"local address":                `await get({ url: 'http://VICTIM/', localAddress: '127.0.0.1' })`,
	"Unix socket in the URL":       `await get('http://unix:/egress/socket:/')`,
	"socketPath":                   `await get({ url: 'http://VICTIM/', socketPath: '/egress/socket' })`,
	"bare TCP handle":              `const n = await natives(front); if (n.TCP) { const t = new n.TCP(0); t.connect(n.wrap(), '127.0.0.1', PORT) }`,
	"bare TCP handle, by a socket": `const n = await natives(front); const t = new n.Socket({ handle: new n.TCP(0) }); t.on('error', () => {}); t._handle.connect(n.wrap(), '127.0.0.1', PORT); t.write('GET / HTTP/1.0\r\n\r\n')`,
	"the proxy's own protocol":     `const n = await natives(front); await talk(n, '/egress/socket', 'CONNECT VICTIM\n')`,
	"a header for the proxy":       `const n = await natives(front); await talk(n, '/egress/socket', 'CONNECT VICTIM HTTP/1.1\r\nHost: good.example\r\n\r\n')`,
	"two requests for the proxy":   `const n = await natives(front); await talk(n, '/egress/socket', 'CONNECT FRONT\nCONNECT VICTIM\nATTACH x\n')`,
	"guessed tickets":              `const n = await natives(front); for (let i = 0; i < 20; i++) await talk(n, '/egress/socket', 'ATTACH ' + i + '\nGET / HTTP/1.0\r\n\r\n')`,
	"another path":                 `const n = await natives(front); await talk(n, '/run/docker.sock', 'GET / HTTP/1.0\r\n\r\n')`,
	"a path above":                 `const n = await natives(front); await talk(n, '/egress/../../../../tmp/x', 'GET / HTTP/1.0\r\n\r\n')`,
	"abstract socket":              `const n = await natives(front); await talk(n, '\0ABSTRACT', 'GET / HTTP/1.0\r\n\r\n')`,
	"listening":                    `const n = await natives(front); const p = new n.Pipe(0); p.bind('/tmp/x'); p.listen(1)`,
	"slow connects":                `await Promise.all(Array.from({ length: 50 }, () => Promise.race([get('http://slow.example:PORT/'), new Promise(r => setTimeout(r, 300))])))`,
	"thousands of connections":     `for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 100 }, () => get('http://VICTIM/')))`,
	"hundreds of idle sockets":     `const n = await natives(front); for (let i = 0; i < 200; i++) { const p = new n.Pipe(0); p.connect(n.wrap(), '/egress/socket') }; await new Promise(r => setTimeout(r, 200))`,
	"an endless answer":            `await Promise.race([get(front + '/endless'), new Promise(r => setTimeout(r, 500))])`,
}

// front is a server that may be reached and does what an enemy's would.
func front(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("front")) })
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// victim counts who comes to it: over TCP and UDP on one port, and by an abstract Unix socket.
type victim struct {
	addr, port, abstract string
	hits                 atomic.Int64
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{abstract: "victim-" + fmt.Sprint(time.Now().UnixNano())}
	stream, datagrams := listenTwice(t)
	t.Cleanup(func() { datagrams.Close() })
	go func() {
		if _, _, err := datagrams.ReadFrom(make([]byte, 1)); err == nil {
			v.hits.Add(1)
		}
	}()
	v.addr = stream.Addr().String()
	_, v.port = split(t, v.addr)
	local, err := net.Listen("unix", "@"+v.abstract)
	if err != nil {
		t.Fatal(err)
	}
	for _, listener := range []net.Listener{stream, local} {
		t.Cleanup(func() { listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				v.hits.Add(1)
				conn.Close()
			}
		}()
	}
	return v
}

// listenTwice listens on one port over TCP and UDP.
func listenTwice(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 100 { // another program may have the second
		stream, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if datagrams, err := net.ListenPacket("udp", stream.Addr().String()); err == nil {
			return stream, datagrams
		}
		stream.Close()
	}
	t.Fatal("no port is free over TCP and UDP")
	return nil, nil
}

func TestNoAttackFromInsideReachesTheVictim(t *testing.T) {
	onEachNode(t, func(t *testing.T, _ string, use func(*sandbox.Config)) {
		t.Parallel() // most of it is waiting
		tryAll(t, attacks, use)
	})
}

// tryAll runs each attack and requires that the victim hears nothing of it and that another function's call goes on as ever.
func tryAll(t *testing.T, attacks map[string]string, change func(*sandbox.Config)) {
	t.Helper()
	good := front(t)
	victim := newVictim(t)
	limits := egress.DefaultLimits()
	limits.Connect = time.Second
	r := newRig(t, egress.Options{
		Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, good.Listener.Addr().String())}, Limits: limits,
		Resolver: slowly{&names{answers: map[string][]string{
			"localhost": {"127.0.0.1"}, "good.example": {"127.0.0.1"}, "rebind.example": {"192.0.2.1", "127.0.0.1"},
		}}},
	}, func(c *sandbox.Config) {
		c.AsyncTimeout = 10 * time.Second // some attacks never answer
		change(c)
	})
	const neighbour = `async function main(req, res) { res.send((await get(req.body)).body) }`
	for name, code := range attacks {
		fill := strings.NewReplacer("VICTIM", victim.addr, "PORT", victim.port, "FRONT", good.Listener.Addr().String(), "ABSTRACT", victim.abstract)
		attack := natives + "async function main(req, res) { const front = req.body; try {\n" + fill.Replace(code) + "\n} catch (e) {} res.send(1) }"
		_, err := r.pool.Invoke(t.Context(), invocation(t, attack, good.URL))
		if victim.hits.Load() > 0 {
			t.Fatalf("%s: the victim was reached (%v)", name, err)
		}
		if got := call[string](t, r, neighbour, good.URL); got != "front" {
			t.Fatalf("%s: a neighbour gets %q", name, got)
		}
		waitUntil(t, func() bool { return r.proxy.Open() == 0 })
	}
}
