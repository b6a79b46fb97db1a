package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"
)

// soakTime is SOAK, such as 10m, or a time that shows no more than that the soak itself works.
func soakTime(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return 5 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("SOAK: %v", err)
	}
	return d
}

// broken are functions that fail in every way, and what their callers are told.
var broken = []struct {
	path, code string
	status     int
	body       string // a regular expression
}{
	{"broken/loop", `function main() { for (;;) {} }`, 500, `^{"error":"Script execution timed out."}$`},
	{"broken/silent", `function main() {}`, 408, `^{"error":"Function timeout"}$`},
	{"broken/memory", `function main() { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)) }`, 500, `^{"error":"(Function exceeded its memory limit \(WORKER_MEMORY_LIMIT\)","reason":"memory_limit"|Script execution timed out.")}$`},
	{"broken/throws", `function main() { throw new TypeError('broken') }`, 500, `^{"error":"broken"}$`},
	{"broken/stack", `function main() { main() }`, 500, `^{"error":"Maximum call stack size exceeded"}$`},
	{"broken/output", `function main() { for (let i = 0; i < 2000; i++) console.log('x'.repeat(1000)); throw new BadRequest('said too much') }`, 400, `^{"error":"said too much"}$`},
	{"broken/left", `function main(req, res) { setTimeout(() => {}, 60000); res.send(1) }`, 200, `^1$`},
}

// soak is a load with deploys and failures beside it.
type soak struct {
	*load
	failed sync.Map // requests beside the load that were not answered as they should, and how they were
}

func (s *soak) fault(what string, r reply) { s.failed.LoadOrStore(what, r) }

// want makes a request and notes an answer that is not the one wanted, a regular expression.
func (s *soak) want(method, path, body string, status int, pattern string) {
	r := send(s.client, method, s.base+path, body)
	if r.status != status || !regexp.MustCompile(pattern).MatchString(r.body) {
		s.fault(method+" "+path, r)
	}
}

// write takes a function through its life.
func (s *soak) write(n int) {
	path := fmt.Sprintf("/functions/ns%d/f%d", n%5, n%50)
	s.want("PUT", path, deployment(numbered(n), `"env":{"A":"1"}`), 200, `"hash":"`)
	s.want("PUT", path+"/run", "{}", 200, fmt.Sprintf("^%d$", n))
	s.want("PUT", path, deployment(`function main(req, res) { res.send([Backstage.env.A, req.body]) }`, ""), 200, `"hash":"`)
	s.want("PUT", path+"/env/A", `"2"`, 204, "^$")
	s.want("PUT", fmt.Sprintf("/functions/pipeline?steps[0]=sums/double&steps[1]=ns%d/f%d", n%5, n%50), fmt.Sprintf(`{"n":%d}`, n),
		200, fmt.Sprintf(`^\["2",{"n":%d,"twice":%d}\]$`, n, 2*n))
	s.want("GET", fmt.Sprintf("/functions?namespace=ns%d&id=f%d", n%5, n%50), "", 200, `"items":\[{`)
	s.want("PUT", fmt.Sprintf("/namespaces/ns%d", n%5), "{}", 200, `"namespace"`)
	s.want("DELETE", path, "", 204, "^$")
	s.want("PUT", path+"/run", "{}", 404, "is not found")
	s.want("PUT", path, `{"code":"function main( {"}`, 400, "SyntaxError")
}

func (s *soak) breakOne(n int) {
	b := broken[n%len(broken)]
	s.want("PUT", "/functions/"+b.path+"/run", "{}", b.status, b.body)
}

// repeat calls what once each pause until ctx ends.
func repeat(ctx context.Context, pause time.Duration, what func(n int)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		what(n)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// phase puts everything on the server for d and prints what it takes meanwhile.
func (s *soak) phase(t *testing.T, server *server, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { s.run(ctx, 6) })
	all.Go(func() { repeat(ctx, 200*time.Millisecond, s.write) })
	all.Go(func() { repeat(ctx, 200*time.Millisecond, s.breakOne) })
	all.Go(func() {
		repeat(ctx, 30*time.Second, func(int) {
			t.Logf("%s  %v; zygote %d MB; %s", time.Now().Format(time.TimeOnly), server.footprint(), server.zygoteMemory()>>20, s.summary())
		})
	})
	all.Wait()
}

// wantFlat fails t if the server takes more at rest than before, beyond what a garbage collector leaves.
func wantFlat(t *testing.T, before, after rest) {
	t.Helper()
	t.Logf("before: %v\nafter:  %v", before, after)
	if after.threads > before.threads+8 {
		t.Errorf("%d threads, before %d", after.threads, before.threads)
	}
	if after.memory > before.memory*3/2+16<<20 {
		t.Errorf("%d bytes of memory, before %d", after.memory, before.memory)
	}
	if after.zygote > before.zygote+4<<20 {
		t.Errorf("the zygote has %d bytes of memory, before %d", after.zygote, before.zygote)
	}
}

// rest is what a server takes while it has nothing to do.
type rest struct {
	footprint
	goroutines int
	zygote     int64 // bytes
}

func (r rest) String() string {
	return fmt.Sprintf("%v, %d goroutines; zygote %d kB", r.footprint, r.goroutines, r.zygote>>10)
}

func (s *server) rest(t *testing.T, l *load, prewarmed int) rest {
	t.Helper()
	return rest{s.atRest(t, l, prewarmed), s.goroutines(t, l), s.zygoteMemory()}
}

func (s *server) goroutines(t *testing.T, l *load) int {
	t.Helper()
	r := send(l.client, "GET", s.metrics+"/metrics", "")
	match := regexp.MustCompile(`(?m)^go_goroutines (\d+)$`).FindStringSubmatch(r.body)
	if match == nil {
		t.Fatalf("no number of goroutines in the metrics: %d", r.status)
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (s *server) zygoteMemory() (sum int64) {
	for _, zygote := range s.zygotes() {
		stat := procStat(zygote.pid)
		if stat != nil {
			pages, _ := strconv.ParseInt(stat[statResident], 10, 64)
			sum += pages * int64(os.Getpagesize())
		}
	}
	return sum
}

func TestNothingGrowsUnderALongMixedLoad(t *testing.T) {
	const prewarmed = 2
	server := startServer(t, "CODE_SYNC_TIMEOUT=1000", "CODE_ASYNC_TIMEOUT=10000", "POOL_SIZE=12", "POOL_PREWARMED=2", "WORKER_IDLE_TIMEOUT=1s")
	server.discardLogs()
	s := &soak{load: newLoad(t, server.url)}
	s.deploy(t)
	for _, b := range broken {
		s.mustPut(t, b.path, b.code)
	}
	s.phase(t, server, soakTime(t)/5)
	before := server.rest(t, s.load, prewarmed)
	s.phase(t, server, soakTime(t)*4/5)
	after := server.rest(t, s.load, prewarmed)
	wantFlat(t, before, after)
	eventuallyOr(t, func() bool { return server.goroutines(t, s.load) <= before.goroutines }, func() string {
		return fmt.Sprintf("goroutines to end: there are %d, before %d", server.goroutines(t, s.load), before.goroutines)
	})
	s.client.CloseIdleConnections()
	before.wantNoMoreDescriptors(t, server)
	s.check(t)
	if s.right != s.calls {
		server.showDeaths(t)
		t.Error("some calls had no answer of their function")
	}
	s.failed.Range(func(what, r any) bool {
		t.Errorf("%v: %v", what, r)
		return true
	})
	server.stopEmpty(t)
}
