package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

var _ invoke.Output = (*Journal)(nil)

// lineStore remembers what it was given. While err is set it keeps nothing; while block is set it waits for that first.
type lineStore struct {
	mu      sync.Mutex // guards the fields below
	err     error
	block   chan struct{}
	lines   []function.LogLine
	batches []int
	keep    function.LogLimits
}

func (s *lineStore) set(err error, block chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.block = err, block
}

func (s *lineStore) AppendLog(ctx context.Context, lines []function.LogLine, keep function.LogLimits) (int, error) {
	s.mu.Lock()
	block := s.block
	s.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(lines))
	s.keep = keep
	if s.err != nil {
		return 0, s.err
	}
	s.lines = append(s.lines, lines...)
	return len(lines), nil
}

// journalRig is a Journal with all around it. It is used within a synctest bubble.
type journalRig struct {
	*Journal
	store   *lineStore
	out     bytes.Buffer
	log     bytes.Buffer
	dropped int
}

func newJournalRig(t *testing.T, next invoke.Output) *journalRig {
	r := &journalRig{store: &lineStore{}}
	if next == nil {
		next = NewConsole(&r.out, &r.out)
	}
	r.Journal = NewJournal(JournalOptions{
		Next: next, Store: r.store, Keep: function.LogLimits{Lines: 7}, MaxLine: 10,
		Dropped: func(n int) { r.dropped += n }, Logger: slog.New(slog.NewTextHandler(&r.log, nil)),
	})
	t.Cleanup(r.Close)
	return r
}

// settle lets everything that was printed be written: a second batch waits for more lines.
func (r *journalRig) settle() {
	time.Sleep(2 * gatherTime)
	synctest.Wait()
}

func (r *journalRig) print(call string, texts ...string) {
	r.printOf(invoke.Call{ID: call, Ref: function.Ref{Namespace: "a", ID: "b"}}, texts...)
}

func (r *journalRig) printOf(call invoke.Call, texts ...string) {
	run := r.Start(call)
	for _, text := range texts {
		run.Line(sandbox.LogLine{Level: "info", Text: text})
	}
	run.Finish(200, time.Second)
}

func TestJournalKeepsTheLinesOfRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newJournalRig(t, nil)
		start := time.Now()
		r.print("call-1", "one", "", "two")
		ref := function.Ref{Namespace: "a", ID: "b"}
		r.printOf(invoke.Call{ID: "call-2", Ref: ref, Queued: &sandbox.Queued{ID: "call-2"}}, "three")
		r.printOf(invoke.Call{ID: "call-3", Ref: ref, Queued: &sandbox.Queued{ID: "call-3.2"}, Step: 2}, "four")
		r.printOf(invoke.Call{ID: "call-4", Ref: ref, Step: 2}, "five")
		r.Print(function.Ref{Namespace: "a", ID: "b"}, sandbox.LogLine{Level: "error", Text: "of no run"})
		r.Tell(ref, "a", "put-6", sandbox.LogLine{Level: "error", Text: "for its author"})
		r.settle()
		want := []function.LogLine{
			{Ref: function.Ref{Namespace: "a", ID: "b"}, Time: start, RequestID: "call-1", Level: "info", Text: "one"},
			{Ref: function.Ref{Namespace: "a", ID: "b"}, Time: start, RequestID: "call-1", Level: "info", Text: "two"},
			{Ref: ref, Time: start, RequestID: "call-2", Queued: true, Level: "info", Text: "three"},
			{Ref: ref, Time: start, RequestID: "call-3", Queued: true, Step: 2, Level: "info", Text: "four"},
			{Ref: ref, Time: start, RequestID: "call-4", Level: "info", Text: "five"},
			{Ref: ref, Time: start, RequestID: "put-6", Level: "error", Text: "for its author"},
		}
		if fmt.Sprint(r.store.lines) != fmt.Sprint(want) || r.store.keep.Lines != 7 {
			t.Errorf("kept %v, want %v, within %v", r.store.lines, want, r.store.keep)
		}
		printed := strings.Join([]string{
			"info: [namespace:a, id:b] one", "info: [namespace:a, id:b] two", "info: [namespace:a, id:b] three",
			"info: [namespace:a, id:b] four", "info: [namespace:a, id:b] five",
			"error: [namespace:a, id:b] of no run", "error: [namespace:a, id:b] for its author", "",
		}, "\n")
		if r.out.String() != printed {
			t.Errorf("the next output got %q", &r.out)
		}
	})
}

func TestLongLinesAreCutWithAMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newJournalRig(t, nil)
		r.print("call", "0123456789", "0123456789x", "012345678é", "éééééé", strings.Repeat("💥", 1000))
		r.settle()
		for i, want := range []string{
			"0123456789", "0123456789[line truncated]", "012345678[line truncated]", "ééééé[line truncated]",
			"💥💥[line truncated]",
		} {
			if got := r.store.lines[i].Text; got != want {
				t.Errorf("line %d is %q, want %q", i, got, want)
			}
		}
	})
}

func TestFullQueueDropsLinesAndCountsThem(t *testing.T) {
	for name, row := range map[string]struct {
		maxLine int
		text    string
		fits    int
	}{
		"lines": {10, "x", queueLines * 7 / 8},
		"bytes": {1 << 20, strings.Repeat("x", 1<<20), (queueBytes >> 20) * 7 / 8},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newJournalRig(t, nil)
				r.o.MaxLine = row.maxLine
				block := make(chan struct{})
				r.store.set(nil, block)
				r.print("call", "first")
				synctest.Wait() // the writer holds it now
				for range row.fits + 3 {
					r.print("call", row.text)
				}
				if r.dropped != 3 || r.queue.lines != row.fits {
					t.Errorf("dropped %d, %d wait", r.dropped, r.queue.lines)
				}
				r.store.set(nil, nil)
				close(block)
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(r.store.lines) != row.fits+1 || r.dropped != 3 || r.queue.size != 0 {
					t.Errorf("kept %d, dropped %d, %d bytes wait", len(r.store.lines), r.dropped, r.queue.size)
				}
				for _, n := range r.store.batches {
					if n > maxBatch {
						t.Errorf("a batch of %d lines", n)
					}
				}
			})
		})
	}
}

// An owner who prints without end, even in many namespaces, loses no lines but its own.
func TestAFloodLosesItsOwnLinesAlone(t *testing.T) {
	for name, row := range map[string]struct {
		maxLine int
		text    string
		lines   int
	}{"lines": {10, "x", queueLines}, "bytes": {1 << 16, strings.Repeat("x", 1<<16), queueBytes >> 16}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newJournalRig(t, nil)
				r.o.MaxLine = row.maxLine
				block := make(chan struct{})
				r.store.set(nil, block)
				r.printOf(invoke.Call{Ref: function.Ref{Namespace: "first", ID: "f"}}, "x")
				synctest.Wait() // the writer holds that and takes no more
				for i := range row.lines {
					ref := function.Ref{Namespace: fmt.Sprintf("evil-%d", i), ID: "f"}
					r.printOf(invoke.Call{Owner: "evil", Ref: ref}, row.text)
				}
				if r.dropped == 0 {
					t.Fatal("nothing was dropped")
				}
				r.dropped = 0
				for i := range 10 {
					r.print("call", fmt.Sprint(i))
				}
				if r.dropped != 0 {
					t.Errorf("%d lines of the neighbour were dropped", r.dropped)
				}
				r.store.set(nil, nil)
				close(block)
				time.Sleep(2 * gatherTime)
				synctest.Wait()
				var got []string
				for _, line := range r.store.lines[:min(2*maxBatch, len(r.store.lines))] { // those of the flood do not go before
					if line.Ref.Namespace == "a" {
						got = append(got, line.Text)
					}
				}
				if text := strings.Join(got, " "); text != "0 1 2 3 4 5 6 7 8 9" {
					t.Errorf("the first batches had %q of the neighbour", text)
				}
			})
		})
	}
}

func TestFailingStoreIsLoggedOnceAndLinesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newJournalRig(t, nil)
		r.store.set(errors.New("away"), nil)
		for range 3 {
			r.print("call", "x", "y")
			time.Sleep(2 * failPause)
		}
		synctest.Wait()
		if r.dropped != 6 || strings.Count(r.log.String(), "cannot be kept") != 1 {
			t.Errorf("dropped %d; log %s", r.dropped, &r.log)
		}
		r.store.set(nil, nil)
		r.print("call", "z")
		time.Sleep(2 * failPause)
		synctest.Wait()
		if len(r.store.lines) != 1 || r.dropped != 6 || strings.Count(r.log.String(), "is kept again") != 1 {
			t.Errorf("kept %v, dropped %d; log %s", r.store.lines, r.dropped, &r.log)
		}
	})
}

func TestSilentStoreHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newJournalRig(t, nil)
		r.store.set(nil, make(chan struct{}))
		start := time.Now()
		r.print("call", "x")
		synctest.Wait()
		r.print("call", "y")
		if took := time.Since(start); took != 0 {
			t.Errorf("a run waited %v", took)
		}
		r.Close()
		if took := time.Since(start); took > appendTimeout+lastTimeout || r.dropped != 2 {
			t.Errorf("the end took %v, dropped %d", took, r.dropped)
		}
	})
}

func TestCloseWritesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newJournalRig(t, nil)
		for i := range 3 * maxBatch {
			r.print("call", fmt.Sprint(i))
		}
		r.Close()
		r.Close()
		if len(r.store.lines) != 3*maxBatch || r.dropped != 0 {
			t.Errorf("kept %d, dropped %d", len(r.store.lines), r.dropped)
		}
		r.print("call", "late")
		if r.dropped != 1 {
			t.Errorf("dropped %d", r.dropped)
		}
	})
}

// summing is an output whose runs have fields.
type summing struct{ *Console }

func (s summing) Start(call invoke.Call) invoke.RunOutput { return summingRun{s.Console.Start(call)} }

type summingRun struct{ invoke.RunOutput }

func (summingRun) Fields() map[string]json.RawMessage {
	return map[string]json.RawMessage{"a": json.RawMessage("1")}
}

func TestJournalPassesOnFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			next invoke.Output
			want map[string]json.RawMessage
		}{
			{summing{NewConsole(&bytes.Buffer{}, nil)}, summingRun{}.Fields()},
			{nil, nil},
		} {
			got := newJournalRig(t, row.next).Start(invoke.Call{}).(invoke.Summarizer).Fields()
			if !maps.EqualFunc(got, row.want, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
				t.Errorf("fields %s, want %s", got, row.want)
			}
		}
	})
}

func BenchmarkJournalLine(b *testing.B) {
	j := NewJournal(JournalOptions{
		Next: NewConsole(&pieces{}, nil), Store: &lineStore{err: errors.New("away")}, MaxLine: 100,
		Dropped: func(int) {}, Logger: slog.New(slog.DiscardHandler),
	})
	defer j.Close()
	run := j.Start(invoke.Call{ID: "call"})
	b.ReportAllocs()
	for b.Loop() {
		run.Line(sandbox.LogLine{Level: "info", Text: "hello"})
	}
}
