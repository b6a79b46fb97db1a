package invoke

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

func TestStreamsAreCountedByTheirEnd(t *testing.T) {
	died := func(reason sandbox.Reason) error { return &sandbox.DeathError{Reason: reason} }
	for want, row := range map[string]struct {
		err    error
		status string
		prints bool
	}{
		"finished": {nil, "201", false},
		"caller":   {io.ErrClosedPipe, "499", false},
		"idle":     {died(sandbox.ReasonStreamIdle), "500", true},
		"total":    {died(sandbox.ReasonStreamLimit), "500", true},
		"died":     {died(sandbox.ReasonMemory), "500", true},
		"failed":   {&sandbox.FunctionError{Status: 400, HasStatus: true, Text: "Error: why"}, "400", true},
	} {
		t.Run(want, func(t *testing.T) {
			f := newFixture(stored("a/b", "one"))
			f.pool.does("a/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
				stats := sandbox.Stats{Sent: 7, FirstByte: time.Second}
				if _, err := inv.OnHead(sandbox.StreamHead{Status: 201}); err != nil {
					return nil, err
				}
				if row.err != nil {
					return nil, &sandbox.StreamError{Err: row.err, Stats: stats}
				}
				return &sandbox.Result{Status: 201, Streamed: true, Stats: stats}, nil
			})
			took := false
			_, err := f.Run(t.Context(), Call{Ref: ref("a/b"), OnHead: func(sandbox.StreamHead) (io.Writer, error) {
				took = true
				return io.Discard, nil
			}})
			if !errors.Is(err, row.err) || !took {
				t.Errorf("error %v, head taken %v", err, took)
			}
			if got, want := f.recorder.text(), "stream, "+want+" after 7 bytes, a/b "+row.status; got != want {
				t.Errorf("counted %s, want %s", got, want)
			}
			if printed := strings.Contains(f.output.text(), "Failed to run"); printed != row.prints {
				t.Errorf("printed %q", f.output.text())
			}
			if f.recorder.took[1] != time.Second {
				t.Errorf("the first byte after %v", f.recorder.took[1])
			}
		})
	}
}

func TestACallThatTakesNoStreamHasNoHead(t *testing.T) {
	f := newFixture(stored("a/b", "one"))
	f.body(t, "a/b")
	if f.pool.seen()[0].OnHead != nil || f.recorder.text() != "a/b 200" {
		t.Errorf("counted %s", f.recorder.text())
	}
}
