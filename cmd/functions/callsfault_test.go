package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// numberedAfter answers with the number that it was called with, after so many milliseconds.
const numberedAfter = `function main(req, res) { setTimeout(function () { res.send({ n: req.body.n }); }, %d); }`

// queuedCall is the record of an asynchronous call, as far as the tests look at it.
type queuedCall struct {
	Status   string `json:"status"`
	Attempts []struct {
		Status int    `json:"status"`
		Reason string `json:"reason"`
	} `json:"attempts"`
}

// callAsync makes an asynchronous call and returns where it can be followed; empty if it was not accepted.
func callAsync(url, body string) (location string) {
	request, err := http.NewRequest(http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		return ""
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Prefer", "respond-async")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusAccepted {
		return ""
	}
	return response.Header.Get("Location")
}

// accepted are calls that were answered 202, each with the number that it is to answer.
type accepted struct {
	mu  sync.Mutex // guards all
	all map[string]int
}

// add makes a call with that number.
func (a *accepted) add(s *server, number int) {
	if at := callAsync(s.url+"/functions/q/f/run", fmt.Sprintf(`{"n":%d}`, number)); at != "" {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.all[at] = number
	}
}

// count is how many were accepted.
func (a *accepted) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all)
}

// TestAcceptedCallsAreNeverLost has three servers on one Redis. Servers and workers are killed, a server is stopped for
// longer than a lease, and Redis restarted, while calls are made and run. Each call that was accepted succeeds, once.
func TestAcceptedCallsAreNeverLost(t *testing.T) {
	redis := testenv.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	start := func() *server {
		s := startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr, "CALLS_LEASE=2s", "POOL_SIZE=8", "POOL_ACTIVE=8")
		s.discardLogs()
		return s
	}
	servers := []*server{start(), start(), start()}
	const code = `function main(req, res) { setTimeout(function () { res.send({ n: req.body.n }); }, 100); }`
	put(t, servers[0].url+"/functions/q/f", code, `"retries":{"attempts":100,"backoff":"100ms"}`)
	calls, number := &accepted{all: map[string]int{}}, 0
	more := func(n int) {
		var puts sync.WaitGroup
		for range n {
			number++
			s, number := servers[number%3], number
			puts.Go(func() { calls.add(s, number) })
		}
		puts.Wait()
	}
	more(60)
	for i := range 3 { // a server is killed with what it runs, another takes its place
		servers[i].kill(t)
		more(20)
		servers[i] = start()
	}
	more(60)
	for _, s := range servers { // workers are killed with the calls that they have
		for _, worker := range s.workers() {
			signalChild(worker, s.zygotes(), syscall.SIGKILL)
		}
	}
	more(30)
	stopped := servers[2]
	if err := stopped.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	servers[2] = servers[0]
	eventually(t, "the leases of the stopped server to run out", func() bool { return calls.left(t, servers[0]) == 0 })
	if err := stopped.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	servers[2] = stopped
	more(60)
	redis.Stop()
	more(3) // are refused
	redis.Start()
	more(30)
	eventually(t, "all calls to end", func() bool { return calls.left(t, servers[1]) == 0 })
	calls.check(t, servers[0])
	if len(calls.all) < 200 {
		t.Errorf("only %d calls were accepted", len(calls.all))
	}
	t.Logf("%d calls were accepted, of %d", len(calls.all), number)
}

// left is how many calls have not ended, as far as s knows.
func (a *accepted) left(t *testing.T, s *server) (n int) {
	t.Helper()
	for at := range a.all {
		if c, ok := recordOf(s, at); !ok || c.Status == "queued" || c.Status == "running" {
			n++
		}
	}
	return n
}

// recordOf reads a record; ok is false when it cannot be read now.
func recordOf(s *server, at string) (c queuedCall, ok bool) {
	r := send(http.DefaultClient, "GET", s.url+at, "")
	return c, r.status == http.StatusOK && json.Unmarshal([]byte(r.body), &c) == nil
}

// check compares each record and each answer with the only right ones.
func (a *accepted) check(t *testing.T, s *server) {
	t.Helper()
	for at, number := range a.all {
		c, ok := recordOf(s, at)
		worked := 0
		for _, attempt := range c.Attempts {
			if attempt.Status == http.StatusOK {
				worked++
			}
		}
		if !ok || c.Status != "succeeded" || worked != 1 {
			t.Errorf("%s: %+v, it worked %d times", at, c, worked)
		}
		if r := send(http.DefaultClient, "GET", s.url+at+"/result", ""); r.body != fmt.Sprintf(`{"n":%d}`, number) {
			t.Errorf("%s is answered %s, want %d", at, r, number)
		}
	}
}

// TestAcceptedCallsOutliveAServerThatIsKilled has one server with the embedded store. It is killed again and again while
// calls are written and run, and started on the same file. Each call that was accepted succeeds, once.
func TestAcceptedCallsOutliveAServerThatIsKilled(t *testing.T) {
	dir := t.TempDir()
	start := func() *server {
		s := startServer(t, "DATA_DIR="+dir, "CALLS_LEASE=1s", "POOL_SIZE=8", "POOL_ACTIVE=8")
		s.discardLogs()
		return s
	}
	s := start()
	put(t, s.url+"/functions/q/f", fmt.Sprintf(numberedAfter, 50), `"retries":{"attempts":100,"backoff":"100ms"}`)
	calls, number := &accepted{all: map[string]int{}}, 0
	for range 4 {
		before := calls.count()
		var puts sync.WaitGroup
		for range 60 {
			number++
			calling, number := s, number
			puts.Go(func() { calls.add(calling, number) })
		}
		eventually(t, "calls to be accepted", func() bool { return calls.count() >= before+5 })
		s.kill(t) // in the middle of what the others write
		puts.Wait()
		s = start()
	}
	eventually(t, "all calls to end", func() bool { return calls.left(t, s) == 0 })
	calls.check(t, s)
	t.Logf("%d calls were accepted, of %d", len(calls.all), number)
}
