package invoke

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/stacktrace"
	"github.com/backstage/functions/sandbox"
)

// oneMap is a store whose functions all have one source map: line 1 of an artefact is line 12 of lib/order.ts.
type oneMap struct{ artefact *function.Artefact }

func (s oneMap) Source(context.Context, function.Ref) (*function.Source, error) {
	text := `{"version":3,"sources":["lib/order.ts"],"sourcesContent":["the text"],"mappings":"AAWM"}`
	return &function.Source{Map: []byte(text), Artefact: s.artefact.Hash}, nil
}

func TestAllThatAFunctionOfFilesSaysIsInItsAuthorsLines(t *testing.T) {
	fn := stored("a/b", "")
	fn.Artefact = (&function.Artefact{Code: "built"}).Seal()
	f, tracer := newFixture(fn), &tracer{}
	reported := &reporter{}
	f.Invoker = New(Options{
		Pool: f.pool, Source: f.source, Output: f.output, Tracer: tracer, Reporter: reported,
		Stacks: stacktrace.New(stacktrace.Options{Sources: oneMap{fn.Artefact}}),
	})
	f.pool.does("a/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		inv.OnLog(sandbox.LogLine{Level: "info", Text: "    at main (a/b.js:1:1)"})
		if inv.OnLate != nil {
			inv.OnLate(sandbox.LogLine{Level: "info", Text: "late at a/b.js:1:1"})
		}
		return nil, &sandbox.FunctionError{
			Status: 500, Message: "x", Text: "Error: x",
			Stack: "Error: x\n    at main (a/b.js:1:1)", Frames: "at main (a/b.js:1)",
		}
	})
	const frame = "at main (lib/order.ts:12:7)"
	check := func(name string, err error) {
		t.Helper()
		thrown, ok := errors.AsType[*sandbox.FunctionError](err)
		if !ok || thrown.Frames != frame || thrown.Stack != "Error: x\n    "+frame {
			t.Errorf("%s: %+v", name, err)
		}
	}
	_, err := f.Run(t.Context(), Call{ID: "call", Ref: ref("a/b")})
	check("the answer", err)
	_, err = f.Pipeline(t.Context(), []function.Ref{ref("a/b")}, Call{ID: "whole"})
	check("the answer of a pipeline", err)
	check("the answer of a trial run", f.Check(t.Context(), &fn))
	if len(reported.failures) != 2 {
		t.Fatalf("reported %v", reported.failures)
	}
	check("the report", reported.failures[0].Err)
	if text, ok := reported.failures[0].Source("lib/order.ts"); !ok || text != "the text" {
		t.Errorf("the report has the source %q", text)
	}
	for name, text := range map[string]string{"output": f.output.text(), "traces": strings.Join(tracer.lines, "\n")} {
		if strings.Contains(text, "a/b.js:1") || !strings.Contains(text, "at main (lib/order.ts:12:7)") {
			t.Errorf("the %s is %s", name, text)
		}
	}
	if text := f.output.text(); !strings.Contains(text, "late at lib/order.ts:12:7") ||
		!strings.Contains(text, "a/b: printed info:     "+frame) {
		t.Errorf("the output is %s", text)
	}
}
