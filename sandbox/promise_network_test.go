//go:build linux

package sandbox_test

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// The network of a worker is empty, and workers cannot meet in it.
var networkPromises = []promise{
	{name: "nothing can be listened for", insider: true, code: connecting(
		`[s => inside.require('net').createServer().listen(0).on('error', s), s => inside.require('net').createServer().listen('\0x').on('error', s),
			s => inside.require('http').createServer().listen(0, '127.0.0.1').on('error', s)]`), want: `["EPERM"]`},
	{name: "no datagram is sent", insider: true, code: `
		const dgram = inside.require('dgram');
		function main(req, res) { const s = dgram.createSocket('udp4'); s.on('error', e => res.send(e.code)); s.send('x', 53, '8.8.8.8', e => e && res.send(e.code)) }`, want: `"EPERM"`},
	{name: "no name is resolved", insider: true, code: `
		function main(req, res) { inside.require('dns').lookup('example.com', e => res.send(/^E(AI_AGAIN|NOTFOUND)$/.test(e.code))) }`, want: `true`},
	{
		name: "no socket of any family can be made but a stream to a path", insider: true, code: `
		function main(req, res) { const made = []; for (let family = 0; family < 46; family++) for (const type of [1, 2, 3, 5]) { if (inside.native.call(41, family, type, 0) >= 0) made.push([family, type]) } res.send(made) }`,
		want: `[[1,1]]`,
	},
	{name: "no pair of sockets can be made", insider: true, code: `
		function main(req, res) { res.send(inside.native.call(53, 1, 1, 0, Buffer.alloc(8))) }`, want: `-1`},
	{
		name: "a socket cannot be bound, even to nothing", insider: true, code: `
		function main(req, res) { const s = inside.native.call(41, 1, 1, 0); res.send([inside.native.call(49, s, Buffer.from([1, 0]), 2), inside.native.call(50, s, 1), inside.native.call(43, s, 0, 0), inside.native.call(288, s, 0, 0, 0)]) }`,
		want: `[-1,-1,-1,-1]`,
	},
	{name: "credentials give a socket no address by themselves", insider: true, code: `
		function main(req, res) { const on = Buffer.from([1, 0, 0, 0]); const s = inside.native.call(41, 1, 1, 0); inside.native.call(54, s, 1, 16, on, 4);
			res.send([inside.native.call(41, 1, 2, 0), inside.native.call(41, 1, 5, 0), inside.native.call(42, s, Buffer.from([1, 0, 0, 48, 48, 48, 48, 49]), 8)]) }`, want: `[-1,-1,-111]`},
	{name: "a request of a module fails and is answered", code: `
		function main(req, res) { require('request')('http://127.0.0.1:8100/healthcheck', e => res.send(e !== null)) }`, want: `true`},
	{name: "a fetch fails and is answered", code: `
		async function main(req, res) { try { await require('node-fetch')('http://169.254.169.254/latest/meta-data/'); return 'reached' } catch (e) { return e.name } }`, want: `"FetchError"`},
}

// connecting answers with the different errors of each attempt, which is handed the function to call with the error.
func connecting(attempts string) string {
	return `function main(req, res) { const codes = []; const attempts = ` + attempts + `;
		attempts.forEach(a => a(e => { codes.push(e.code); if (codes.length === attempts.length) res.send(Array.from(new Set(codes)).sort()) })) }`
}

func TestPromiseNetwork(t *testing.T) { keep(t, networkPromises) }

func TestPromiseListenersOfTheHostAreNotReached(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "socket")
	name := "\x00functions-test-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	listeners := []net.Listener{tcp}
	for _, address := range []string{path, name} {
		l, err := net.Listen("unix", "@"+address[1:])
		if address == path {
			l, err = net.Listen("unix", path)
		}
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
	}
	for _, l := range listeners {
		go func() {
			if conn, err := l.Accept(); err == nil {
				t.Errorf("%s was reached", l.Addr())
				_ = conn.Close()
			}
		}()
		defer l.Close()
	}
	keep(t, []promise{{
		name: "host", insider: true, want: `["EAI_AGAIN","ECONNREFUSED","ENOENT"]`,
		code: connecting(fmt.Sprintf(`[%d, %q, '\0%s'].map(to => s => inside.require('net').connect(to).on('error', s))`,
			tcp.Addr().(*net.TCPAddr).Port, path, name[1:])),
	}})
}
