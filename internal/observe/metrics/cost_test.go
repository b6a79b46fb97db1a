package metrics

import (
	"context"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// countCall counts what one call of a function counts.
func countCall(m *Metrics) {
	m.InvocationDone(sandbox.Stats{Start: sandbox.StartWarm, Queue: time.Microsecond, Run: time.Millisecond, CPU: time.Millisecond})
	m.FunctionRun(context.Background(), function.Ref{Namespace: "a", ID: "b"}, invoke.Ending{Status: 200}, time.Millisecond)
	m.Served(context.Background(), "/functions/{namespace}/{id}/run", 200, time.Millisecond)
}

func TestCountingACallAllocatesNothing(t *testing.T) {
	m := New()
	countCall(m) // makes the series
	if n := testing.AllocsPerRun(100, func() { countCall(m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCall(b *testing.B) {
	m := New()
	b.ReportAllocs()
	for b.Loop() {
		countCall(m)
	}
}
