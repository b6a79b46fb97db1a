package main

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// writing is a function that writes what lines gives straight to the pipe of its answers, past the runner: it has the constructor of a socket
// from a module, which takes any descriptor.
func writing(lines string) string {
	return `function main(req, res) {
		const r = require('request')({ url: 'http://127.0.0.1:9/' }, () => {});
		r.on('error', () => {});
		r.on('socket', (s) => {
			const out = new s.constructor({ fd: 1, readable: false, writable: true });
			out.on('error', () => {});
			const fill = (begin, unit, end) => begin + unit.repeat(Math.floor((8300000 - begin.length - end.length) / unit.length)) + end + '\n';
			` + lines + `
		});
	}`
}

// floods are functions that give the server as much to read, to decode and to hold as they can.
var floods = map[string]string{
	"headers": writing(`out.write(fill('{"type":"span","id":"x","headers":[', '["a",""],', '["a",""]]}'))`),
	"names":   writing(`out.write(fill('{"type":"result","id":"x","headers":[', '["\\u0061",""],', '["a",""]]}'))`),
	"tags":    writing(`out.write(fill('{"type":"span","id":"x","tags":[', '["a",1],', '["a",1]]}'))`),
	"deep":    writing(`out.write(fill('{"type":"result","id":"x","body":', '[', ']}'))`),
	"text":    writing(`out.write(fill('{"type":"log","id":"x","text":"', 'x', '"}'))`),
	"many":    writing(`out.write('{"type":"pending","id":"x"}\n'.repeat(300000))`),
	"half":    writing(`out.write(fill('{"type":"result","id":"x","body":"', 'x', '').trim()); for (const end = Date.now() + 300; Date.now() < end;);`),
	"answer":  `function main(req, res) { res.send('x'.repeat(8300000)) }`,
	"objects": `function main(req, res) { res.send(Array(1000000).fill({ a: 1 })) }`,
	"nested":  `function main(req, res) { let a = 1; for (let i = 0; i < 4000; i++) a = [a]; res.send(a) }`,
	"error":   `function main() { throw new Error('x'.repeat(300000)) }`,
	"lines":   `function main(req, res) { for (let i = 0; i < 20000; i++) console.log(i); res.send(1) }`,
	"fields":  `function main(req, res) { res.set('a', Array(256).fill('b'.repeat(250))).send(1) }`,
}

// peakMemory is the most that was resident of a process, in bytes.
func peakMemory(t testing.TB, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// deployFloods stores all floods.
func deployFloods(t testing.TB, s *server) {
	t.Helper()
	for name, code := range floods {
		put(t, s.url+"/functions/evil/"+name, code, "")
	}
}

// floodURLs are where they are called.
func floodURLs(s *server) []string {
	var urls []string
	for _, name := range slices.Sorted(maps.Keys(floods)) {
		urls = append(urls, s.url+"/functions/evil/"+name+"/run")
	}
	return urls
}

// flood deploys all floods and calls each of them so many times from so many callers. It returns when all calls are answered.
func flood(t testing.TB, s *server, callers, calls int) {
	t.Helper()
	deployFloods(t, s)
	urls := floodURLs(s)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for n := range calls {
				send(http.DefaultClient, http.MethodPut, urls[(i+n)%len(urls)], `{}`)
			}
		})
	}
	all.Wait()
}

// Whatever workers write, the server stays small, and others are answered. It reads the same from every version: the
// oldest one, which starts fastest, gives it the most of it, and more at night; the others give each flood at least once.
func TestHostileOutputDoesNotFillTheServer(t *testing.T) {
	calls := 1
	if os.Getenv("NIGHTLY") == "1" {
		calls = 4
	}
	for _, row := range []struct {
		runtime        string
		callers, calls int
	}{{"node8", 64, calls}, {"node20", 16, calls}, {"node22", 16, calls}, {"node24", 16, calls}} {
		t.Run(row.runtime, func(t *testing.T) {
			s := startServer(t, "POOL_SIZE=16", runtimesVariable(t, row.runtime))
			staysSmall(t, s, func() { flood(t, s, row.callers, row.calls) })
		})
	}
}

// staysSmall has a neighbour call all through a flood, and looks at the most that the server has had of memory.
func staysSmall(t *testing.T, s *server, flood func()) {
	t.Helper()
	const most = memoryFactor * 300 << 20
	put(t, s.url+"/functions/quiet/f", `function main(req, res) { res.send(req.body) }`, "")
	fine := func(int, string) string { return "" }
	calm := startCallers(1, s.url+"/functions/quiet/f/run", func() int { return 0 }, fine)
	calm.await(20)
	flood()
	calm.stop(t)
	if peak := peakMemory(t, s.cmd.Process.Pid); peak > most {
		t.Errorf("the server had %d MB, want at most %d", peak>>20, most>>20)
	} else {
		t.Logf("the server had %d MB at most, a neighbour %d answers", peak>>20, total([]*callers{calm}))
	}
}
