package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

var ref = function.Ref{Namespace: "ns", ID: "id"}

// fakeStore has the records that it was given, unless it fails, or is slow.
type fakeStore struct {
	mu      sync.Mutex // guards the fields below
	all     []*queue.Kept
	batches int
	fail    error
	blocked chan struct{} // while it is not nil, until it is closed
}

func (s *fakeStore) AppendKept(ctx context.Context, records []*queue.Kept, _ queue.KeptLimits) error {
	s.mu.Lock()
	blocked := s.blocked
	s.mu.Unlock()
	if blocked != nil && len(records) > 0 {
		select {
		case <-blocked:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if len(records) > 0 {
		s.all, s.batches = append(s.all, records...), s.batches+1
	}
	return nil
}

func (s *fakeStore) records() []*queue.Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

// counts are what became of records.
type counts struct {
	mu  sync.Mutex // guards all
	all map[string]int
}

func (c *counts) add(result string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]int{}
	}
	c.all[result] += n
}

func (c *counts) of(result string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[result]
}

// opened is a Log, what it writes, and its log.
func opened(set func(*Options)) (l *Log, s *fakeStore, c *counts, out *strings.Builder) {
	s, c, out = &fakeStore{}, &counts{}, &strings.Builder{}
	o := Options{
		Store: s, Limits: queue.KeptLimits{Calls: 10, Bytes: 1 << 20, Age: time.Hour}, Server: "web-1",
		Timeout: time.Minute, SyncTimeout: time.Second, Memory: 64 << 20, Recorded: c.add,
		Logger: slog.New(slog.NewTextHandler(out, nil)),
	}
	if set != nil {
		set(&o)
	}
	return New(o), s, c, out
}

// ended is a call that has ended so.
func ended(of function.Ref, status int, err error) *invoke.Ended {
	return &invoke.Ended{
		Function: &function.Function{Ref: of, Hash: "h", VersionID: "v"}, ID: "r1", Start: time.Now(), Took: time.Second,
		Ending: invoke.Ending{Status: status, Err: err},
	}
}

// call tells l of a call, as an Invoker does.
func call(l *Log, of function.Ref, status int, err error) {
	if l.Wants(of, status) {
		l.Ended(ended(of, status, err))
	}
}

func TestCallsThatFailHaveRecords(t *testing.T) {
	for _, row := range []struct {
		status int
		failed bool
	}{
		{200, false},
		{304, false},
		{404, false},
		{422, false},
		{499, false},
		{408, true},
		{429, true},
		{500, true},
		{503, true},
	} {
		for _, all := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				l, s, _, _ := opened(func(o *Options) { o.All = all })
				call(l, ref, row.status, nil)
				l.Close()
				got := s.records()
				if want := row.failed || all; (len(got) == 1) != want {
					t.Fatalf("%d, all %t: %d records", row.status, all, len(got))
				}
				if len(got) == 1 && (got[0].Status == queue.Failed) != row.failed {
					t.Errorf("%d: it is %s", row.status, got[0].Status)
				}
			})
		}
	}
}

func TestARecordHasItsEvidence(t *testing.T) {
	ran := sandbox.Stats{Start: "warm", Run: 1003 * time.Millisecond, CPU: 7 * time.Millisecond, Queue: 2 * time.Millisecond}
	long := strings.Repeat("é", 5000)
	for name, row := range map[string]struct {
		err    error
		reason string
		detail string // that its detail has, and its output
		output string
	}{
		"thrown": {
			&sandbox.FunctionError{Status: 500, Message: "no", Stack: "at x.js:1", Stats: ran}, "thrown",
			`"error":"no","ms":1000,"queueMs":2,"runMs":1003,"cpuMs":7,"worker":"warm","memoryLimit":67108864,` +
				`"hash":"h","revision":"v","server":"web-1"}`,
			`{"thrown":"Error: no","stack":"at x.js:1","lines":[{"level":"info","message":"hi"}]}`,
		},
		"deadline": {
			&sandbox.DeathError{Reason: sandbox.ReasonDeadline, Stats: ran}, "deadline",
			`"limit":{"name":"timeout","unit":"ms","allowed":60000,"used":1003}`, `"message":"hi"`,
		},
		"no return": {
			&sandbox.DeathError{Reason: sandbox.ReasonSyncDeadline, Stats: ran}, "sync_deadline",
			`"limit":{"name":"syncTimeout","unit":"ms","allowed":1000,"used":1003}`, `"message":"hi"`,
		},
		"memory": {
			&sandbox.DeathError{Reason: sandbox.ReasonMemory, Stats: ran}, "memory_limit",
			`"limit":{"name":"memory","unit":"bytes","allowed":67108864}`, `"message":"hi"`,
		},
		"answer": {
			&sandbox.DeathError{Reason: sandbox.ReasonOutput, Answer: 20, Allowed: 10, Stats: ran}, "output_limit",
			`"limit":{"name":"response","unit":"bytes","allowed":10,"used":20}`, `"message":"hi"`,
		},
		"exit": {
			&sandbox.DeathError{Reason: sandbox.ReasonExit, ExitCode: 3, Detail: "stderr", Stats: ran}, "exit",
			`"exitCode":3`, `"detail":"stderr"`,
		},
		"signal": {
			&sandbox.DeathError{Reason: sandbox.ReasonSignal, Signal: "SIGSEGV", Stats: ran}, "signal", `"signal":"SIGSEGV"`, "",
		},
		"long texts": {
			&sandbox.FunctionError{Status: 500, Message: long, Stack: long, Stats: ran}, "thrown", `é","ms"`, `é","stack":"é`,
		},
		"no worker":  {&sandbox.BusyError{Cause: sandbox.BusyQueueFull}, "queue_full", `"error":"No worker is free"`, ""},
		"its answer": {nil, "status_500", `{"status":500,"reason":"status_500","ms":1000`, `"message":"hi"`},
	} {
		t.Run(name, func(t *testing.T) {
			l := &Log{Options: Options{
				Server: "web-1", Timeout: time.Minute, SyncTimeout: time.Second, Memory: 64 << 20,
				Limits: queue.KeptLimits{Age: time.Hour},
			}}
			e := ended(ref, 500, row.err)
			e.Stats, e.Lines = invoke.StatsOf(&sandbox.Result{Stats: ran}, row.err), []sandbox.LogLine{{Level: "info", Text: "hi"}}
			if _, thrown := errors.AsType[*sandbox.FunctionError](row.err); thrown {
				e.Text = "Error: " + row.err.(*sandbox.FunctionError).Message //nolint:errorlint // as it was made
			}
			k := l.recordOf(entry{ended: e})
			if k.Reason != row.reason || k.Status != queue.Failed || k.Kind != queue.KindRun || k.RequestID != "r1" {
				t.Errorf("it is %+v", k)
			}
			if !strings.Contains(string(k.Detail), row.detail) || !strings.Contains(string(k.Output), row.output) {
				t.Errorf("detail %s\noutput %s", k.Detail, k.Output)
			}
			if !json.Valid(k.Detail) || !json.Valid(k.Output) || len(k.Detail)+len(k.Output) > 10<<10 {
				t.Errorf("%d and %d bytes: %s %s", len(k.Detail), len(k.Output), k.Detail, k.Output)
			}
			if k.End.Sub(k.Start) != time.Second || k.Expires.Sub(k.End) != time.Hour {
				t.Errorf("from %v to %v, until %v", k.Start, k.End, k.Expires)
			}
		})
	}
}

func TestTheKindOfACallIsKept(t *testing.T) {
	l := &Log{}
	for _, row := range []struct {
		via  string
		step int
		want queue.Kind
	}{{"", 0, queue.KindRun}, {"route", 0, queue.KindRoute}, {"websocket", 0, queue.KindWebSocket}, {"", 2, queue.KindPipeline}} {
		e := ended(ref, 500, nil)
		e.Via, e.Step = row.via, row.step
		if k := l.recordOf(entry{ended: e}); k.Kind != row.want || k.Step != row.step {
			t.Errorf("%+v: it is %s, step %d", row, k.Kind, k.Step)
		}
	}
}

func TestIDsAreInTheOrderOfTime(t *testing.T) {
	begin := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	last := ""
	for i := range 1000 {
		id := idOf(begin.Add(time.Duration(i) * time.Millisecond))
		if id <= last || id[14] != '7' || len(id) != 36 {
			t.Fatalf("%s comes after %s", id, last)
		}
		last = id
	}
}

// Some of a flood stand for the others, which are counted.
func TestAFloodOfFailuresIsSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, c, out := opened(nil)
		const flood = 100_000
		for range flood / 100 {
			for range 100 {
				call(l, ref, 500, nil)
			}
			time.Sleep(10 * time.Millisecond)
		}
		other := function.Ref{Namespace: "ns", ID: "other"}
		call(l, other, 500, nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		call(l, ref, 500, nil)
		l.Close()
		all := s.records()
		if n := len(all); n < 2+burst || n > 2+burst+11*int(time.Second/every) {
			t.Errorf("there are %d records", n)
		}
		if n := len(all) + c.of(Sampled); n != flood+2 || c.of(Written) != len(all) || c.of(Lost) != 0 {
			t.Errorf("%d calls are counted: %v", n, c.all)
		}
		var told int
		for _, k := range all {
			var detail struct{ Unrecorded int }
			if err := json.Unmarshal(k.Detail, &detail); err != nil {
				t.Fatal(err)
			}
			told += detail.Unrecorded
		}
		if told != c.of(Sampled) {
			t.Errorf("the records tell of %d others, there were %d", told, c.of(Sampled))
		}
		if !strings.Contains(out.String(), fmt.Sprintf("calls=%d functions=1", c.of(Sampled))) {
			t.Errorf("the log is %s", out)
		}
		if s.batches > 60 {
			t.Errorf("they came in %d batches", s.batches)
		}
	})
}

// A function that fails all the time takes no records from others, and those that succeed none from those that fail.
func TestAFunctionTakesNoRecordsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, _, _ := opened(func(o *Options) { o.All = true })
		for range 10_000 {
			call(l, ref, 500, nil)
			call(l, ref, 200, nil)
		}
		call(l, function.Ref{Namespace: "ns", ID: "other"}, 500, nil)
		l.Close()
		count := map[string]int{}
		for _, k := range s.records() {
			count[k.Ref.ID+" "+string(k.Status)]++
		}
		if count["other failed"] != 1 || count["id failed"] != burst || count["id succeeded"] != burst {
			t.Errorf("there are %v", count)
		}
	})
}

// A store that is away, or slow, delays nobody.
func TestRecordsAreLostWithoutAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, c, out := opened(nil)
		s.mu.Lock()
		s.blocked = make(chan struct{})
		s.mu.Unlock()
		begin := time.Now()
		for i := range 2000 {
			call(l, function.Ref{Namespace: "ns", ID: fmt.Sprint(i)}, 500, nil)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("calls waited for %v", took)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if c.of(Written) != 0 || c.of(Lost)+c.of(Sampled) != 2000 {
			t.Errorf("%v", c.all)
		}
		if !strings.Contains(out.String(), "last_error") {
			t.Errorf("the log is %s", out)
		}
		s.mu.Lock()
		close(s.blocked)
		s.blocked, s.fail = nil, errors.New("away")
		s.mu.Unlock()
		call(l, ref, 500, nil)
		time.Sleep(time.Second)
		synctest.Wait()
		s.mu.Lock()
		s.fail = nil
		s.mu.Unlock()
		call(l, ref, 500, nil)
		l.Close()
		if all := s.records(); len(all) != 1 || !strings.Contains(string(all[0].Detail), `"unrecorded":1}`) {
			t.Errorf("there are %d records", len(all))
		}
	})
}

func TestFunctionsAreForgotten(t *testing.T) {
	s := newSampler()
	now := time.Now()
	for i := range 3 * maxFunctions {
		s.take(function.Ref{Namespace: "ns", ID: fmt.Sprint(i)}, true, now)
	}
	if n := len(s.functions); n > maxFunctions || len(s.touched) > maxFunctions {
		t.Errorf("%d are known", n)
	}
}
