package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// onceInvoker runs functions that take idempotency keys, but the one that is called old.
func onceInvoker(run func(call invoke.Call) (*sandbox.Result, error)) *fakeInvoker {
	return &fakeInvoker{
		run: run,
		find: func(ref function.Ref) (invoke.Found, error) {
			f := &function.Function{Ref: ref}
			if mode := function.IdempotencySync; ref.ID != "old" {
				f.Options.Idempotency = &mode
			}
			return invoke.Found{Function: f}, nil
		},
	}
}

func once(t *testing.T, run func(call invoke.Call) (*sandbox.Result, error)) string {
	t.Helper()
	v := onceInvoker(run)
	return serve(t, Options{
		Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour},
	})
}

// counting answers with the number of the run.
func counting(runs *atomic.Int64) func(invoke.Call) (*sandbox.Result, error) {
	return func(invoke.Call) (*sandbox.Result, error) {
		return &sandbox.Result{
			Status: 201, Header: fields("X-A", "b", "Content-Type", "application/vnd.x+json"),
			Body: fmt.Appendf(nil, `{"run":%d,"n":1.0}`, runs.Add(1)),
		}, nil
	}
}

func ranOnce(t *testing.T, runs *atomic.Int64) {
	t.Helper()
	if n := runs.Load(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

func runWith(t *testing.T, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	return do(t, newRequest(t, "PUT", url, body, append([]string{"Content-Type", "application/json"}, header...)...))
}

func TestARepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	var runs atomic.Int64
	url := once(t, counting(&runs)) + "/functions/ns/id/run?x=1"
	first, body := runWith(t, url, `{"a":1}`, "Idempotency-Key", `"one"`)
	expect(t, first, body, 201, `{"run":1,"n":1.0}`)
	if first.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("the first answer has %v", first.Header)
	}
	for _, key := range []string{`"one"`, "one"} {
		again, same := runWith(t, url, `{"a":1}`, "Idempotency-Key", key)
		expect(t, again, same, 201, body)
		if again.Header.Get("Idempotent-Replayed") != "true" {
			t.Error("nothing says that it was kept")
		}
		for _, name := range []string{"X-A", "Content-Type", "Etag", "Content-Length"} {
			if again.Header.Get(name) != first.Header.Get(name) {
				t.Errorf("%s is %q, was %q", name, again.Header.Get(name), first.Header.Get(name))
			}
		}
	}
	res, text := runWith(t, url, `{"a":2}`, "Idempotency-Key", "one")
	expect(t, res, text, 422,
		`{"error":"The Idempotency-Key belongs to another request: use a new one","reason":"idempotency_key_reused"}`)
	for name, other := range map[string]string{"key": "two", "longest": strings.Repeat("k", 255)} {
		if res, text := runWith(t, url, `{"a":1}`, "Idempotency-Key", other); res.StatusCode != 201 ||
			res.Header.Get("Idempotent-Replayed") != "" {
			t.Errorf("another %s: %d %s", name, res.StatusCode, text)
		}
	}
	if runs.Load() != 3 {
		t.Errorf("it ran %d times", runs.Load())
	}
	for _, key := range []string{"", `""`, strings.Repeat("k", 256)} {
		res, text := runWith(t, url, "", "Idempotency-Key", key)
		expect(t, res, text, 400, `{"error":"Idempotency-Key must be one text of 1 to 255 bytes"}`)
	}
}

func TestAKeyIsNothingToFunctionsThatDoNotAskForIt(t *testing.T) {
	var runs atomic.Int64
	v := onceInvoker(counting(&runs))
	v.pipeline = func(_ []function.Ref, call invoke.Call) (*sandbox.Result, error) { return v.run(call) }
	url := serve(t, Options{Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour}})
	off := serve(t, Options{Invoker: v}) // without asynchronous calls
	for _, at := range []string{
		url + "/functions/ns/old/run", off + "/functions/ns/id/run", url + "/functions/pipeline?steps[0]=ns/id",
	} {
		for _, key := range []string{"one", "one", ""} {
			before := runs.Load()
			res, body := runWith(t, at, `{"a":1}`, "Idempotency-Key", key)
			if runs.Load() != before+1 || res.Header.Get("Idempotent-Replayed") != "" {
				t.Errorf("%s: %d %s", at, res.StatusCode, body)
			}
		}
	}
}

func TestOneOfManyRequestsWithAKeyRuns(t *testing.T) {
	var runs atomic.Int64
	begun, release := make(chan struct{}, 20), make(chan struct{})
	count := counting(&runs)
	url := once(t, func(call invoke.Call) (*sandbox.Result, error) {
		begun <- struct{}{}
		<-release
		return count(call)
	}) + "/functions/ns/id/run"
	var first sync.WaitGroup
	first.Go(func() {
		if res, body := runWith(t, url, "", "Idempotency-Key", "k"); res.StatusCode != 201 {
			t.Errorf("answered %d %s", res.StatusCode, body)
		}
	})
	<-begun
	var others sync.WaitGroup
	for range 10 {
		others.Go(func() {
			res, body := runWith(t, url, "", "Idempotency-Key", "k")
			if res.StatusCode != 409 || res.Header.Get("Retry-After") == "" ||
				!strings.Contains(body, `"reason":"idempotency_key_in_use"`) {
				t.Errorf("answered %d %v %s", res.StatusCode, res.Header, body)
			}
		})
	}
	others.Wait()
	if res, body := runWith(t, url, "[1]", "Idempotency-Key", "k"); res.StatusCode != 422 {
		t.Errorf("another request is answered %d %s", res.StatusCode, body)
	}
	close(release)
	first.Wait()
	res, body := runWith(t, url, "", "Idempotency-Key", "k")
	expect(t, res, body, 201, `{"run":1,"n":1.0}`)
}

// TestWhatACallCameToIsKeptOnlyIfItRan has calls that fail: what a function has begun is not begun again.
func TestWhatACallCameToIsKeptOnlyIfItRan(t *testing.T) {
	stopped := &sandbox.DeathError{Reason: sandbox.ReasonClosed}
	for name, row := range map[string]struct {
		result *sandbox.Result
		err    error
		status int
		kept   bool
	}{
		"answered 500": {&sandbox.Result{Status: 500, Body: []byte(`{"a":1}`)}, nil, 500, true},
		"bytes": {
			&sandbox.Result{Status: 200, Bytes: []byte("\x00\n"), Header: fields("Content-Type", "a/b")}, nil, 200, true,
		},
		"nothing":        {&sandbox.Result{Status: 204}, nil, 204, true},
		"unsendable":     {&sandbox.Result{Status: 200, Header: fields("X", "a\nb")}, nil, 500, true},
		"thrown":         {nil, &sandbox.FunctionError{Message: "no"}, 500, true},
		"deadline":       {nil, &sandbox.DeathError{Reason: sandbox.ReasonDeadline}, 408, true},
		"busy":           {nil, sandbox.ErrBusy, 503, false},
		"server stops":   {nil, stopped, 503, false},
		"another server": {nil, errors.New("a bug"), 500, false},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			url := once(t, func(invoke.Call) (*sandbox.Result, error) {
				runs++
				return row.result, row.err
			}) + "/functions/ns/id/run"
			first, body := runWith(t, url, "", "Idempotency-Key", "k")
			again, same := runWith(t, url, "", "Idempotency-Key", "k")
			if row.status != 0 && first.StatusCode != row.status {
				t.Errorf("answered %d %s", first.StatusCode, body)
			}
			if same != body || again.StatusCode != first.StatusCode ||
				again.Header.Get("Content-Type") != first.Header.Get("Content-Type") ||
				again.Header.Get("Retry-After") != first.Header.Get("Retry-After") {
				t.Errorf("answered %d %s, then %d %s", first.StatusCode, body, again.StatusCode, same)
			}
			if kept := runs == 1; kept != row.kept || (again.Header.Get("Idempotent-Replayed") == "true") != row.kept {
				t.Errorf("it ran %d times, then %v", runs, again.Header)
			}
		})
	}
}

func TestAnAnswerThatCannotBeKeptIsNotRunAgain(t *testing.T) {
	for name, run := range map[string]func(invoke.Call) (*sandbox.Result, error){
		"stream": func(call invoke.Call) (*sandbox.Result, error) {
			to, err := call.OnHead(sandbox.StreamHead{Status: 200})
			if err == nil {
				_, err = io.WriteString(to, "piece")
			}
			return &sandbox.Result{Status: 200}, err
		},
		"too long": func(invoke.Call) (*sandbox.Result, error) { // the namespace has room for a megabyte
			return &sandbox.Result{Status: 200, Bytes: make([]byte, 1<<20)}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var runs atomic.Int64
			url := once(t, func(call invoke.Call) (*sandbox.Result, error) {
				runs.Add(1)
				return run(call)
			}) + "/functions/ns/id/run"
			if res, _ := runWith(t, url, "", "Idempotency-Key", "k"); res.StatusCode != 200 {
				t.Errorf("answered %d", res.StatusCode)
			}
			for range 2 {
				res, body := runWith(t, url, "", "Idempotency-Key", "k")
				if res.StatusCode != 409 || !strings.Contains(body, `"reason":"answer_not_kept"`) ||
					res.Header.Get("Retry-After") != "" {
					t.Errorf("answered %d %v %s", res.StatusCode, res.Header, body)
				}
			}
			ranOnce(t, &runs)
		})
	}
}

// TestTooManyKeysAreRefused goes past the limit of newCalls, three calls of a namespace.
func TestTooManyKeysAreRefused(t *testing.T) {
	var runs atomic.Int64
	url := once(t, counting(&runs))
	for i := range 4 {
		res, body := runWith(t, url+"/functions/ns/id/run", "", "Idempotency-Key", fmt.Sprint(i))
		full := res.StatusCode == 429 && strings.Contains(body, `"reason":"calls_full"`)
		if i < 3 && res.StatusCode != 201 || i == 3 && !full {
			t.Errorf("%d: answered %d %s", i, res.StatusCode, body)
		}
	}
	if res, body := runWith(t, url+"/functions/ns/id/run", "", "Idempotency-Key", "0"); res.StatusCode != 201 {
		t.Errorf("a repeated request is answered %d %s", res.StatusCode, body)
	}
	if res, body := runWith(t, url+"/functions/ns/id/run", ""); res.StatusCode != 201 {
		t.Errorf("without a key it is answered %d %s", res.StatusCode, body)
	}
	if res, body := runWith(t, url+"/functions/other/id/run", "", "Idempotency-Key", "0"); res.StatusCode != 201 {
		t.Errorf("another namespace is answered %d %s", res.StatusCode, body)
	}
}

// TestAKeptCallGoesOnWithoutItsCaller: who hangs up may ask again.
func TestAKeptCallGoesOnWithoutItsCaller(t *testing.T) {
	var goes atomic.Int64
	url := once(t, func(call invoke.Call) (*sandbox.Result, error) {
		if call.Goes {
			goes.Add(1)
		}
		return &sandbox.Result{Status: 200}, nil
	}) + "/functions/ns/id/run"
	runWith(t, url, "")
	runWith(t, url, "", "Idempotency-Key", "k")
	if goes.Load() != 1 {
		t.Errorf("%d calls go on", goes.Load())
	}
}
