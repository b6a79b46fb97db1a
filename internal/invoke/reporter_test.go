package invoke

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// reporter remembers what was reported.
type reporter struct {
	mu       sync.Mutex
	failures []Failure
}

func (r *reporter) Report(f *Failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, *f)
}

func TestFaultsOfFunctionsAreReported(t *testing.T) {
	for _, row := range []struct {
		name     string
		err      error
		reported bool
	}{
		{"thrown without a status", &sandbox.FunctionError{Status: 500, Text: "Error: x"}, true},
		{"thrown with 404", &sandbox.FunctionError{Status: 404, HasStatus: true}, false},
		{"thrown with 304", &sandbox.FunctionError{Status: 304, HasStatus: true}, false},
		{"thrown with 408", &sandbox.FunctionError{Status: 408, HasStatus: true}, true},
		{"thrown with 499", &sandbox.FunctionError{Status: 499, HasStatus: true}, false},
		{"thrown with 500", &sandbox.FunctionError{Status: 500, HasStatus: true}, true},
		{"thrown with 503", &sandbox.FunctionError{Status: 503, HasStatus: true}, true},
		{"deadline", &sandbox.DeathError{Reason: sandbox.ReasonDeadline}, true},
		{"sync deadline", &sandbox.DeathError{Reason: sandbox.ReasonSyncDeadline}, true},
		{"memory", &sandbox.DeathError{Reason: sandbox.ReasonMemory}, true},
		{"caller gone", &sandbox.DeathError{Reason: sandbox.ReasonCanceled}, false},
		{"server ending", &sandbox.DeathError{Reason: sandbox.ReasonClosed}, false},
		{"no worker", fmt.Errorf("%w at all", sandbox.ErrBusy), false},
		{"closed", sandbox.ErrClosed, false},
		{"too large", sandbox.ErrTooLarge, false},
		{"none", nil, false},
		{"another", errors.New("x"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(stored("a/b", "x"))
			got := &reporter{}
			f.Invoker = New(Options{Pool: f.pool, Source: f.source, Reporter: got})
			if row.err != nil {
				f.pool.fails("a/b.js", row.err)
			}
			_, err := f.Run(t.Context(), Call{ID: "call", Ref: ref("a/b")})
			if !errors.Is(err, row.err) {
				t.Errorf("error %v", err)
			}
			if (len(got.failures) == 1) != row.reported {
				t.Errorf("reported %v", got.failures)
			}
		})
	}
}

func TestAnswerWith500IsNoFault(t *testing.T) {
	f := newFixture(stored("a/b", "x"))
	got := &reporter{}
	f.Invoker = New(Options{Pool: f.pool, Source: f.source, Reporter: got})
	f.pool.answers("a/b.js", 500, `{}`)
	f.body(t, "a/b")
	if len(got.failures) != 0 {
		t.Errorf("reported %v", got.failures)
	}
}

func TestReportOfAStepTellsOfTheStepsBefore(t *testing.T) {
	f := newFixture(stored("a/one", "1"), stored("a/two", "2"), stored("a/three", "3"))
	got := &reporter{}
	f.Invoker = New(Options{Pool: f.pool, Source: f.source, Reporter: got})
	f.pool.answers("a/one.js", 200, `{"from":"one"}`)
	f.pool.answers("a/two.js", 304, "")
	f.pool.fails("a/three.js", &sandbox.DeathError{Reason: sandbox.ReasonDeadline})
	call := Call{ID: "call", Request: sandbox.Request{Method: "PUT", Body: json.RawMessage(`{}`)}}
	if _, err := f.Pipeline(t.Context(), []function.Ref{ref("a/one"), ref("a/two"), ref("a/three")}, call); err == nil {
		t.Fatal("no error")
	}
	if len(got.failures) != 1 {
		t.Fatalf("reported %v", got.failures)
	}
	failure := got.failures[0]
	want := Call{
		ID: "call", Ref: ref("a/three"), Owner: "a", Step: 3,
		Request: sandbox.Request{Method: "PUT", Body: json.RawMessage(`{"from":"one"}`)},
	}
	if !reflect.DeepEqual(failure.Call, want) || failure.Function.Code != "3" ||
		failure.Text != "Error: Function timeout" {
		t.Errorf("failure %+v", failure)
	}
	if len(failure.Earlier) != 2 || failure.Earlier[0].Time.IsZero() {
		t.Fatalf("earlier %v", failure.Earlier)
	}
	for i := range failure.Earlier {
		failure.Earlier[i].Time = failure.Earlier[0].Time
	}
	at := failure.Earlier[0].Time
	steps := []Step{{ref("a/one"), 200, json.RawMessage(`{"from":"one"}`), at}, {ref("a/two"), 304, nil, at}}
	if !reflect.DeepEqual(failure.Earlier, steps) {
		t.Errorf("earlier %+v", failure.Earlier)
	}
}

func TestLongAnswersOfStepsAreNotKept(t *testing.T) {
	f := newFixture(stored("a/one", "1"), stored("a/two", "2"))
	got := &reporter{}
	f.Invoker = New(Options{Pool: f.pool, Source: f.source, Reporter: got})
	long := `"` + strings.Repeat("x", 1<<20) + `"`
	f.pool.answers("a/one.js", 200, long)
	f.pool.fails("a/two.js", &sandbox.DeathError{Reason: sandbox.ReasonDeadline})
	if _, err := f.Pipeline(t.Context(), []function.Ref{ref("a/one"), ref("a/two")}, Call{}); err == nil {
		t.Fatal("no error")
	}
	body := got.failures[0].Earlier[0].Body
	if cap(body) > 2*maxStepBody || !strings.HasPrefix(long, string(body)) || len(body) < 4<<10 {
		t.Errorf("%d bytes are kept, in %d", len(body), cap(body))
	}
	if sent := string(f.pool.seen()[1].Request.Body); sent != long {
		t.Errorf("the next step got %d bytes", len(sent))
	}
}

// summarized is an Output whose runs send a record.
type summarized struct{ discard }

func (summarized) Start(Call) RunOutput { return summarizedRun{} }

type summarizedRun struct{ discard }

func (summarizedRun) Fields() map[string]json.RawMessage {
	return map[string]json.RawMessage{"status": json.RawMessage("500")}
}

func TestReportHasTheFieldsOfTheLog(t *testing.T) {
	f := newFixture(stored("a/b", "x"))
	got := &reporter{}
	f.Invoker = New(Options{Pool: f.pool, Source: f.source, Reporter: got, Output: summarized{}})
	f.pool.fails("a/b.js", &sandbox.FunctionError{Status: 500})
	if _, err := f.Run(t.Context(), Call{Ref: ref("a/b")}); err == nil {
		t.Fatal("no error")
	}
	if len(got.failures) != 1 || string(got.failures[0].Fields["status"]) != "500" {
		t.Errorf("reported %v", got.failures)
	}
}
