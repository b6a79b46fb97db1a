package egress_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// target is asked by functions after their answers; a request of /hold is answered when held is closed.
type target struct {
	*httptest.Server
	asked chan string // path and traceparent of each request
	held  chan struct{}
}

func newTarget(t *testing.T) *target {
	s := &target{asked: make(chan string, 100), held: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked <- r.Method + " " + r.URL.Path + " " + r.Header.Get("traceparent")
		if strings.HasPrefix(r.URL.Path, "/hold") {
			select {
			case <-s.held:
			case <-r.Context().Done():
			}
		}
		_, _ = fmt.Fprint(w, "{}")
	}))
	t.Cleanup(s.Close)
	return s
}

// late makes invocations whose lines after the answer go to lines and whose end to over.
type late struct {
	lines []string
	over  chan struct{}
}

func (l *late) invocation(t *testing.T, name, code string, body any) *sandbox.Invocation {
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return &sandbox.Invocation{
		ID: name, Key: name, Group: "ns", Filename: "ns/" + name + ".js", Code: code,
		Request:  sandbox.Request{Method: "PUT", Header: json.RawMessage("{}"), Query: json.RawMessage("{}"), Body: text},
		Outgoing: json.RawMessage(`{"traceparent":"00-late"}`),
		OnLate:   func(line sandbox.LogLine) { l.lines = append(l.lines, line.Level+" "+line.Text) }, OnLateEnd: func() { close(l.over) },
	}
}

func (l *late) call(t *testing.T, r *rig, name, code string, body any) *sandbox.Result {
	t.Helper()
	l.lines, l.over = nil, make(chan struct{})
	result, err := r.pool.Invoke(t.Context(), l.invocation(t, name, code, body))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return result
}

func anywhere() egress.Options {
	return egress.Options{Policy: egress.Policy{Mode: egress.All}}
}

func TestRequestsThatAreNotAwaitedReachTheirTarget(t *testing.T) {
	site := newTarget(t)
	onEachNode(t, func(t *testing.T, node string, use func(*sandbox.Config)) {
		r := newRig(t, anywhere(), use)
		ways := map[string]string{
			"post":        `require('request').post({ url: req.body + '/a', json: { a: 1 } }); res.send(1)`,
			"after":       `res.send(1); require('request').post(req.body + '/a')`,
			"acknowledge": `res.status(202).send(1); const work = async () => { await 0; await new Promise(r => require('request').post(req.body + '/a', r)) }; work()`,
			"node-fetch":  `require('node-fetch')(req.body + '/a', { method: 'POST' }); res.send(1)`,
			"waitUntil": `Backstage.waitUntil(new Promise(r => setTimeout(r, 20)).then(() => new Promise(r => require('request').post(req.body + '/a', r))));
				res.send(1)`,
		}
		if node != "node8" {
			ways["fetch"] = `fetch(req.body + '/a', { method: 'POST' }); res.send(1)`
		}
		var l late
		for name, code := range ways {
			for range 5 {
				l.call(t, r, name, `function main(req, res) { `+code+` }`, site.URL)
				if got := <-site.asked; got != "POST /a 00-late" {
					t.Errorf("%s: %s", name, got)
				}
				if <-l.over; len(l.lines) > 0 {
					t.Errorf("%s printed %q", name, l.lines)
				}
			}
		}
	})
}

func TestWorkAfterTheAnswerEnds(t *testing.T) {
	site := newTarget(t)
	hold := `function main(req, res) { require('request')(req.body + '/hold', () => console.log('never')); res.send(1) }`
	for name, row := range map[string]struct {
		change func(*sandbox.Config)
		end    func(r *rig)
		cause  string
		reason sandbox.Reason
	}{
		"deadline": {
			func(c *sandbox.Config) { c.AsyncTimeout = 2 * time.Second }, func(*rig) {},
			"the time for the call was over; give the function a longer timeout, or make an asynchronous call of it",
			sandbox.ReasonAfterAnswer,
		},
		"room": {
			func(c *sandbox.Config) { c.Size, c.Prewarmed, c.Reserve = 1, 0, 0 },
			func(r *rig) { new(late).call(t, r, "other", `function main(req, res) { res.send(1) }`, nil) },
			"others needed its room or memory; await it before the answer, or let POOL_SIZE or the memory be more",
			sandbox.ReasonEvicted,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, anywhere(), row.change)
			var l late
			l.call(t, r, "hold", hold, site.URL)
			<-site.asked
			row.end(r)
			<-l.over
			want := "error 1 timer, request or promise was cut after the answer: " + row.cause
			if !slices.Equal(l.lines, []string{want}) {
				t.Errorf("got %q, want %q", l.lines, want)
			}
			if err := r.pool.Close(); err != nil { // all deaths are told then
				t.Error(err)
			}
			if r.seen.of(row.reason) != 1 {
				t.Errorf("no worker died of %s: %v", row.reason, r.seen.reasons)
			}
		})
	}
}

func TestACallThatIsCutLeavesNothing(t *testing.T) {
	site := newTarget(t)
	r := newRig(t, anywhere(), nil)
	var l late
	inv := l.invocation(t, "cut", `function main(req, res) { require('request')(req.body + '/hold'); res.send(1) }`, site.URL)
	var lines []string
	inv.CutAfterAnswer, inv.OnLog = true, func(line sandbox.LogLine) { lines = append(lines, line.Text) }
	if _, err := r.pool.Invoke(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	want := []string{"1 timer, request or promise was cut after the answer: afterAnswer is cut; await it before the answer"}
	if !slices.Equal(lines, want) || l.lines != nil {
		t.Errorf("got %q and %q, want %q", lines, l.lines, want)
	}
}

func TestTheNextCallSeesNothingOfWorkAfterAnAnswer(t *testing.T) {
	site := newTarget(t)
	onEachNode(t, func(t *testing.T, _ string, use func(*sandbox.Config)) {
		site.held = make(chan struct{})
		r := newRig(t, anywhere(), func(c *sandbox.Config) { use(c); c.Size = 1; c.Prewarmed = 0; c.Reserve = 0 })
		code := `const shared = require('lodash').templateSettings; const mine = shared.call = {};
			function main(req, res) {
				if (!req.body) return res.send(shared.wrong === undefined);
				Backstage.waitUntil(new Promise(r => require('request')(req.body + '/hold', () => {
					if (shared.call !== mine) shared.wrong = true; res.send('late'); console.log('finished'); r(); })));
				res.send(true) }`
		var l late
		for range 3 {
			l.call(t, r, "apart", code, site.URL)
			<-site.asked
			close(site.held)
			if <-l.over; !slices.Equal(l.lines, []string{"info finished"}) {
				t.Errorf("printed %q", l.lines)
			}
			for r.pool.Snapshot().Pool.Late > 0 { // until then the next call would have the room of the worker
				runtime.Gosched()
			}
			site.held = make(chan struct{})
			result := l.call(t, r, "apart", code, nil)
			if string(result.Body) != "true" || result.Start != sandbox.StartWarm {
				t.Errorf("the next call: %s on a worker that is %s", result.Body, result.Start)
			}
		}
	})
}
