package ring

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
)

func lineOf(ref function.Ref, text string) function.LogLine {
	return function.LogLine{Ref: ref, Time: time.UnixMilli(1), RequestID: "call", Level: "info", Text: text}
}

func refOf(i int) function.Ref { return function.Ref{Namespace: "ns", ID: fmt.Sprint(i)} }

func add(t *testing.T, r *Ring, keep function.LogLimits, lines ...function.LogLine) {
	t.Helper()
	if kept, err := r.AppendLog(t.Context(), lines, keep); kept != len(lines) || err != nil {
		t.Fatalf("kept %d, %v", kept, err)
	}
}

// texts are those of the lines of a function, joined.
func texts(t *testing.T, r *Ring, ref function.Ref) string {
	t.Helper()
	lines, err := r.ReadLog(t.Context(), ref, function.LogQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, line := range lines {
		all = append(all, line.Text)
	}
	return strings.Join(all, " ")
}

func TestLinesOfAFunctionAreBounded(t *testing.T) {
	var r Ring
	for i := range 10 {
		add(t, &r, function.LogLimits{Lines: 3, Memory: 1 << 20}, lineOf(refOf(0), fmt.Sprint(i)))
	}
	if got := texts(t, &r, refOf(0)); got != "7 8 9" {
		t.Errorf("kept %s", got)
	}
}

func TestFunctionsThatPrintedNothingForLongestAreDroppedFirst(t *testing.T) {
	var r Ring
	keep := function.LogLimits{Lines: 10, Memory: 3 * (logOverhead + 10 + lineOverhead + 10)}
	for _, i := range []int{0, 1, 2} {
		add(t, &r, keep, lineOf(refOf(i), "x"))
	}
	add(t, &r, keep, lineOf(refOf(0), "y")) // 1 is the oldest now, and there is no room for four lines
	for i, want := range []string{"x y", "", "x"} {
		if got := texts(t, &r, refOf(i)); got != want {
			t.Errorf("function %d has %q, want %q", i, got, want)
		}
	}
}

// One namespace that prints without end, or many functions of it, take nothing from those that keep to their share.
func TestNamespacesHaveSharesOfTheMemory(t *testing.T) {
	var r Ring
	quiet, second := function.Ref{Namespace: "quiet", ID: "f"}, function.Ref{Namespace: "second", ID: "f"}
	keep := function.LogLimits{Lines: 1000, Memory: 100_000}
	add(t, &r, keep, lineOf(quiet, "a"), lineOf(quiet, "b"))
	for i := range 1000 {
		add(t, &r, keep, lineOf(refOf(i%50), strings.Repeat("x", 1000)))
	}
	if got := r.owners["ns"].size; got < 90_000 {
		t.Errorf("while nobody else wants it, it has %d bytes", got)
	}
	for range 1000 {
		add(t, &r, keep, lineOf(second, strings.Repeat("y", 1000)))
		add(t, &r, keep, lineOf(refOf(0), strings.Repeat("x", 1000)))
	}
	if got := texts(t, &r, quiet); got != "a b" {
		t.Errorf("the quiet namespace has %q", got)
	}
	for _, name := range []string{"ns", "second"} {
		if got := r.owners[name].size; got < 40_000 || got > 60_000 {
			t.Errorf("%s has %d bytes", name, got)
		}
	}
}

func TestOneFunctionAloneKeepsToTheMemory(t *testing.T) {
	var r Ring
	keep := function.LogLimits{Lines: 1000, Memory: 10_000}
	for i := range 100 {
		add(t, &r, keep, lineOf(refOf(0), strings.Repeat("x", 1000)+fmt.Sprint(i)))
		if r.size > keep.Memory {
			t.Fatalf("%d bytes after %d lines", r.size, i)
		}
	}
	if got := texts(t, &r, refOf(0)); !strings.HasSuffix(got, "x99") {
		t.Errorf("the newest line is not there: %s", got)
	}
	add(t, &r, keep, lineOf(refOf(1), strings.Repeat("x", 20_000)))
	if r.size != 0 || len(r.logs)+len(r.owners)+len(r.largest) != 0 {
		t.Errorf("a line that is too large alone leaves %d bytes, %d functions", r.size, len(r.logs))
	}
}

func TestHundredThousandFunctionsKeepToTheMemory(t *testing.T) {
	const functions, memory = 100_000, 16 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := new(Ring)
	keep := function.LogLimits{Lines: 1000, Memory: memory}
	for i := range functions {
		var lines []function.LogLine
		for j := range 5 {
			lines = append(lines, lineOf(refOf(i), fmt.Sprint("a line of a function ", i, j)))
		}
		add(t, r, keep, lines...)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if r.size > memory || r.size < memory/2 {
		t.Errorf("counted %d bytes", r.size)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > memory {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	if got := texts(t, r, refOf(functions-1)); got == "" {
		t.Error("the newest function was dropped")
	}
	if got := texts(t, r, refOf(0)); got != "" {
		t.Error("the oldest function was kept")
	}
}

func TestSizeIsThatOfTheLines(t *testing.T) {
	var r Ring
	keep := function.LogLimits{Lines: 2, Memory: 1 << 20}
	for i := range 20 {
		add(t, &r, keep, lineOf(refOf(i%5), strings.Repeat("x", i)))
	}
	r.Forget(refOf(0))
	r.Forget(refOf(0))
	r.ForgetNamespace("other")
	add(t, &r, keep, lineOf(function.Ref{Namespace: "other", ID: "x"}, "x"))
	r.ForgetNamespace("ns")
	if want := int64(logOverhead + len("otherx") + lineOverhead + len("callx")); r.size != want {
		t.Errorf("size %d, want %d", r.size, want)
	}
	r.ForgetNamespace("other")
	if r.size != 0 || len(r.logs)+len(r.owners)+len(r.largest) != 0 {
		t.Errorf("size %d, %d functions", r.size, len(r.logs))
	}
}

func TestPlacesGoOnAfterTheirFunctionWasForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands still
		var r Ring
		keep := function.LogLimits{Lines: 10, Memory: 1 << 20}
		add(t, &r, keep, lineOf(refOf(0), "1"), lineOf(refOf(0), "2"))
		lines, err := r.ReadLog(t.Context(), refOf(0), function.LogQuery{Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		r.Forget(refOf(0))
		add(t, &r, keep, lineOf(refOf(0), "3"))
		lines, err = r.ReadLog(t.Context(), refOf(0), function.LogQuery{After: lines[1].Cursor, Limit: 2})
		if err != nil || len(lines) != 1 || lines[0].Text != "3" {
			t.Errorf("got %v, %v", lines, err)
		}
	})
}

func TestThoseWhoWaitLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Ring
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { _, _ = r.AwaitLog(ctx, refOf(i%10), function.LogCursor{}, 1, time.Hour) })
		}
		synctest.Wait()
		if len(r.waiting) != 10 {
			t.Errorf("%d functions are waited for", len(r.waiting))
		}
		add(t, &r, function.LogLimits{Lines: 1, Memory: 1 << 20}, lineOf(refOf(0), "x"))
		cancel()
		wg.Wait()
		if lines, err := r.AwaitLog(t.Context(), refOf(1), function.LogCursor{}, 1, time.Hour); lines != nil || err != nil {
			t.Errorf("got %v, %v", lines, err)
		}
		if len(r.waiting) != 0 {
			t.Errorf("%d functions are still waited for", len(r.waiting))
		}
	})
}
