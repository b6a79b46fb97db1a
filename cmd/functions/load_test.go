package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// job is a function, and what it answers to the body {"n": N}.
type job struct {
	path, code, properties string
	want                   func(n int) (status int, body string)
}

// jobs are functions of several kinds and namespaces. Each answer depends on the call, so that no call can be given another's.
var jobs = []job{
	{
		"sums/double", `function main(req, res) { console.log(req.body.n); res.send({ n: req.body.n, twice: req.body.n * 2 }) }`, "",
		func(n int) (int, string) { return 200, fmt.Sprintf(`{"n":%d,"twice":%d}`, n, 2*n) },
	},
	{
		"waits/timer", `async function main(req) { await new Promise(resolve => setTimeout(resolve, 5)); return [req.body.n] }`, "",
		func(n int) (int, string) { return 200, fmt.Sprintf(`[%d]`, n) },
	},
	{
		"once/fresh", `function main(req, res) { Math.calls = (Math.calls || 0) + 1; res.status(201).send({ calls: Math.calls, n: req.body.n }) }`,
		`"maxInvocations":1`, func(n int) (int, string) { return 201, fmt.Sprintf(`{"calls":1,"n":%d}`, n) },
	},
	{
		"fails/refuse", `function main(req, res) { throw new UnprocessableEntity('no ' + req.body.n) }`, "",
		func(n int) (int, string) { return 422, fmt.Sprintf(`{"error":"no %d"}`, n) },
	},
	{
		"sums/large", `function main(req, res) { res.send(String(req.body.n).repeat(2000)) }`, "",
		func(n int) (int, string) { return 200, `"` + strings.Repeat(fmt.Sprint(n), 2000) + `"` },
	},
}

// right says whether r is what j answers to n.
func (j *job) right(n int, r reply) bool {
	status, body := j.want(n)
	return r.err == nil && r.status == status && r.body == body
}

// excuse names why a call had no answer of its function, if r says so as it must; it is empty for an answer that may not be.
func (r reply) excuse() string {
	var told struct{ Error, Reason string }
	if r.err != nil || json.Unmarshal([]byte(r.body), &told) != nil {
		return ""
	}
	switch {
	case r.status == http.StatusInternalServerError && told.Reason != "" && told.Error != "":
		return told.Reason
	case r.status == http.StatusInternalServerError && told.Error == "Script execution timed out.",
		r.status == http.StatusRequestTimeout && told.Error == "Function timeout",
		r.status == http.StatusServiceUnavailable && told.Error != "" && r.retryAfter != "":
		return told.Error
	}
	return ""
}

// load calls jobs over and over and counts what comes back.
type load struct {
	base   string
	client *http.Client
	cut    string // the excuse of an answer that breaks off; empty where none may

	mu      sync.Mutex // guards the fields below
	calls   int
	right   int
	excused map[string]int
	wrong   []string // the first few
	wrongs  int
}

// newLoad returns a load on the server at base. Its connections are closed at the end of t.
func newLoad(t testing.TB, base string) *load {
	l := &load{base: base, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}, excused: map[string]int{}}
	t.Cleanup(l.client.CloseIdleConnections)
	return l
}

// deploy stores all jobs.
func (l *load) deploy(t testing.TB) {
	t.Helper()
	for _, j := range jobs {
		if r := send(l.client, "PUT", l.base+"/functions/"+j.path, deployment(j.code, j.properties)); r.status != http.StatusOK {
			t.Fatalf("deploy %s: %v", j.path, r)
		}
	}
}

// run makes calls with n clients until ctx ends, and returns when all have been answered.
func (l *load) run(ctx context.Context, clients int) {
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for n := client; ctx.Err() == nil; n += clients {
				j := &jobs[n%len(jobs)]
				l.count(j, n, l.call(j, n))
			}
		})
	}
	all.Wait()
}

func (l *load) call(j *job, n int) reply {
	return send(l.client, "PUT", l.base+"/functions/"+j.path+"/run", fmt.Sprintf(`{"n":%d}`, n))
}

func (l *load) count(j *job, n int, r reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	excuse := r.excuse()
	if errors.Is(r.err, io.ErrUnexpectedEOF) {
		excuse = l.cut
	}
	switch {
	case j.right(n, r):
		l.right++
	case excuse != "":
		l.excused[excuse]++
	default:
		if l.wrongs++; len(l.wrong) < 5 {
			l.wrong = append(l.wrong, fmt.Sprintf("%s of %d: %v", j.path, n, r))
		}
	}
}

// healthy says whether every job answers as it should at this moment.
func (l *load) healthy() bool {
	for i := range jobs {
		if !jobs[i].right(7, l.call(&jobs[i], 7)) {
			return false
		}
	}
	return true
}

// summary says in a line what came back.
func (l *load) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprintf("%d calls: %d right, %d wrong", l.calls, l.right, l.wrongs)
	for _, excuse := range slices.Sorted(maps.Keys(l.excused)) {
		text += fmt.Sprintf(", %d %q", l.excused[excuse], excuse)
	}
	return text
}

// check fails t for answers that may not be.
func (l *load) check(t testing.TB) {
	t.Helper()
	t.Log(l.summary())
	for _, wrong := range l.wrong {
		t.Errorf("wrong answer: %s", wrong)
	}
	if l.right == 0 {
		t.Error("no call was answered rightly")
	}
}
