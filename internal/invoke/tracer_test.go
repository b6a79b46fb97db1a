package invoke

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// tracer remembers what was traced, each line with the spans around it.
type tracer struct {
	mu    sync.Mutex
	lines []string
}

type spanKey struct{}

func (t *tracer) begin(ctx context.Context, name string) (context.Context, Span) {
	if parent, ok := ctx.Value(spanKey{}).(string); ok {
		name = parent + " > " + name
	}
	return context.WithValue(ctx, spanKey{}, name), tracedSpan{t, name}
}

func (t *tracer) add(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

func (t *tracer) Run(ctx context.Context, call Call) (context.Context, Span) {
	return t.begin(ctx, call.ID+" "+call.Ref.String())
}

func (t *tracer) Pipeline(ctx context.Context, call Call, steps []function.Ref) (context.Context, Span) {
	return t.begin(ctx, fmt.Sprintf("%s pipeline of %d", call.ID, len(steps)))
}

type tracedSpan struct {
	t    *tracer
	name string
}

func (s tracedSpan) Outgoing() json.RawMessage {
	return json.RawMessage(`{"traceparent":"` + s.name + `"}`)
}

func (s tracedSpan) Line(line sandbox.LogLine) { s.t.add("%s: %s", s.name, line.Text) }

func (s tracedSpan) Spans() func(sandbox.Span) {
	return func(own sandbox.Span) { s.t.add("%s: span %s", s.name, own.Name) }
}

func (s tracedSpan) End(o Ending) {
	s.t.add("%s: %d %s %v", s.name, o.Status, o.Stats.Start, o.Err)
}

func traced(fns ...function.Function) (*fixture, *tracer) {
	f, t := newFixture(fns...), &tracer{}
	f.Invoker = New(Options{Pool: f.pool, Source: f.source, Output: f.output, Tracer: t})
	return f, t
}

func TestRunsAreTraced(t *testing.T) {
	f, tracer := traced(stored("a/b", "x"), stored("a/c", "x"))
	f.pool.does("a/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		inv.OnLog(sandbox.LogLine{Level: "info", Text: "printed"})
		inv.OnSpan(sandbox.Span{Number: 1, Name: "own"})
		return &sandbox.Result{Status: 201, Stats: sandbox.Stats{Start: sandbox.StartWarm, Run: time.Second}}, nil
	})
	f.pool.fails("a/c.js", &sandbox.DeathError{Reason: sandbox.ReasonExit, Stats: sandbox.Stats{Start: sandbox.StartCold}})
	f.body(t, "a/b")
	if _, err := f.Run(t.Context(), Call{ID: "other", Ref: ref("a/c")}); err == nil {
		t.Fatal("no error")
	}
	want := "call a/b: printed\ncall a/b: span own\ncall a/b: 201 warm <nil>\nother a/c: 500 cold sandbox: worker died: exit with code 0"
	if got := strings.Join(tracer.lines, "\n"); got != want {
		t.Errorf("traced\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(f.output.text(), "a/b: info: printed") {
		t.Errorf("printed %s", f.output.text())
	}
}

func TestStepsAreTracedWithinTheirPipeline(t *testing.T) {
	f, tracer := traced(stored("a/b", "x"), stored("a/c", "x"))
	steps := []function.Ref{ref("a/b"), ref("a/c")}
	if _, err := f.Pipeline(t.Context(), steps, Call{ID: "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Pipeline(t.Context(), []function.Ref{ref("a/none")}, Call{ID: "q"}); err == nil {
		t.Fatal("no error")
	}
	want := "p pipeline of 2 > p a/b: 200  <nil>\np pipeline of 2 > p a/c: 200  <nil>\np pipeline of 2: 200  <nil>\n" +
		"q pipeline of 1: 404  Code 'a/none' is not found"
	if got := strings.Join(tracer.lines, "\n"); got != want {
		t.Errorf("traced\n%s\nwant\n%s", got, want)
	}
	if calls := f.pool.seen(); calls[0].ID == calls[1].ID {
		t.Errorf("both steps are invocation %s", calls[0].ID)
	}
}

func TestRunHandsTheHeadersOfItsSpanToTheWorker(t *testing.T) {
	f, _ := traced(stored("a/b", "x"))
	if _, err := f.Run(t.Context(), Call{ID: "1", Ref: ref("a/b")}); err != nil {
		t.Fatal(err)
	}
	if got, want := string(f.pool.seen()[0].Outgoing), `{"traceparent":"1 a/b"}`; got != want {
		t.Errorf("outgoing headers %s, want %s", got, want)
	}
}

func TestCallsThatNobodyTracesPayNothingForIt(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { untracedCall(t.Context()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	f := newFixture(stored("a/b", "x"))
	f.pool.does("a/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		if inv.OnSpan != nil || inv.Outgoing != nil {
			t.Error("the worker is asked for spans, or given headers")
		}
		return &sandbox.Result{Status: 200}, nil
	})
	f.body(t, "a/b")
}

// untracedCall is what a call does with the Tracer that stands for none.
func untracedCall(ctx context.Context) {
	var tracer Tracer = untraced{}
	_, span := tracer.Run(ctx, Call{ID: "call"})
	_ = span.Outgoing()
	_ = span.Spans()
	span.Line(sandbox.LogLine{})
	span.End(Ending{Status: 200})
}

func BenchmarkUntraced(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		untracedCall(b.Context())
	}
}
