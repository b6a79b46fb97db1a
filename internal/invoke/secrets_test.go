package invoke

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// keeping returns a Keeper with the values of secrets by "namespace/NAME" and "namespace/id/NAME".
func keeping(t *testing.T, values map[string]string) *secrets.Keeper {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyset")
	if _, err := secrets.CreateKeyset(path); err != nil {
		t.Fatal(err)
	}
	k, err := secrets.New(secrets.Options{Store: mem.New(), KeysetFile: path})
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range values {
		putSecret(t, k, name, value)
	}
	return k
}

func putSecret(t *testing.T, k *secrets.Keeper, name, value string) {
	t.Helper()
	parts := strings.Split(name, "/")
	ref := function.SecretRef{SecretScope: function.SecretScope{Namespace: parts[0]}, Name: parts[len(parts)-1]}
	if len(parts) == 3 {
		ref.ID = parts[1]
	}
	if err := k.Put(t.Context(), ref, value); err != nil {
		t.Fatal(err)
	}
}

// askingFor is a function that asks for secrets.
func askingFor(name string, change func(*function.Options), names ...string) function.Function {
	fn := stored(name, "code of "+name)
	asked := function.SecretNames(names)
	fn.Options.Secrets = &asked
	if change != nil {
		change(&fn.Options)
	}
	return fn
}

// failures remembers what is reported.
type failures struct{ all []Failure }

func (f *failures) Report(failure *Failure) {
	kept := *failure
	kept.Earlier = slices.Clone(failure.Earlier)
	f.all = append(f.all, kept)
}

func TestEachStepGetsItsOwnSecrets(t *testing.T) {
	k := keeping(t, map[string]string{"a/KEY": "of-a-namespace", "a/f/KEY": "of-a-function", "b/KEY": "of-b-namespace"})
	pool := &fakePool{}
	none := stored("a/none", "1")
	v := New(Options{Pool: pool, Secrets: k, Source: newSource(
		askingFor("a/f", nil, "KEY"), askingFor("a/g", nil, "KEY"), askingFor("b/h", nil, "KEY"), none)})
	steps := []function.Ref{ref("a/f"), ref("a/none"), ref("a/g"), ref("b/h")}
	if _, err := v.Pipeline(t.Context(), steps, Call{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, inv := range pool.seen() {
		got = append(got, string(inv.Secrets))
		if strings.Contains(string(inv.Env)+inv.Key+string(inv.Request.Header), "of-") {
			t.Errorf("%s has a value elsewhere: %+v", inv.Filename, inv)
		}
	}
	if want := []string{`{"KEY":"of-a-function"}`, "", `{"KEY":"of-a-namespace"}`, `{"KEY":"of-b-namespace"}`}; !slices.Equal(got, want) {
		t.Errorf("the steps got %q", got)
	}
}

func TestATrialRunHasNoSecrets(t *testing.T) {
	pool := &fakePool{}
	v := New(Options{Pool: pool, Secrets: keeping(t, map[string]string{"a/KEY": "1"}), Source: newSource()})
	fn := askingFor("a/f", nil, "KEY", "MISSING")
	if err := v.Check(t.Context(), &fn); err != nil {
		t.Fatal(err)
	}
	if inv := pool.seen()[0]; inv.Secrets != nil {
		t.Errorf("it got %s", inv.Secrets)
	}
}

func TestACallWithoutItsSecretsIsRefused(t *testing.T) {
	pool := &fakePool{}
	v := New(Options{Pool: pool, Secrets: keeping(t, nil), Source: newSource(askingFor("a/f", nil, "KEY"))})
	_, err := v.Run(t.Context(), Call{ID: "1", Ref: ref("a/f")})
	if o := outcome.Of(err); o.Status != 500 || o.Reason != secrets.ReasonMissing || !strings.Contains(o.Message, "KEY") {
		t.Errorf("got %v, %+v", err, o)
	}
	if len(pool.seen()) != 0 {
		t.Error("it was run")
	}
}

func TestOtherValuesAreForOtherWorkersWhereCodeRunsOnce(t *testing.T) {
	once := func(o *function.Options) { text := function.InitOnce; o.Init = &text }
	k, pool := keeping(t, map[string]string{"a/KEY": "1"}), &fakePool{}
	v := New(Options{Pool: pool, Secrets: k, Source: newSource(askingFor("a/once", once, "KEY"), askingFor("a/each", nil, "KEY"))})
	keys := func(name string) string {
		if _, err := v.Run(t.Context(), Call{ID: "1", Ref: ref(name)}); err != nil {
			t.Fatal(err)
		}
		all := pool.seen()
		return all[len(all)-1].Key
	}
	onceKey, eachKey := keys("a/once"), keys("a/each")
	if keys("a/once") != onceKey {
		t.Error("the same value has another worker")
	}
	putSecret(t, k, "a/KEY", "2")
	if keys("a/once") == onceKey {
		t.Error("what runs once goes on with the old value")
	}
	if keys("a/each") != eachKey {
		t.Error("what runs anew each time has another worker for another value")
	}
}

func TestValuesAreMaskedWhereverTextLeaves(t *testing.T) {
	const value = "sk_live_canary"
	k := keeping(t, map[string]string{"a/KEY": value})
	pool, out, reports := &fakePool{}, &printed{}, &failures{}
	v := New(Options{
		Pool: pool, Secrets: k, Output: out, Reporter: reports, Source: newSource(askingFor("a/f", nil, "KEY"), stored("a/g", "1")),
	})
	pool.does("a/f.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		inv.OnLog(sandbox.LogLine{Level: "info", Text: "before " + value})
		if string(inv.Request.Body) == `"answer"` {
			inv.OnLate(sandbox.LogLine{Level: "info", Text: "late " + value})
			inv.OnLateEnd()
			return &sandbox.Result{Status: 200, Body: json.RawMessage(`"` + value + `"`)}, nil
		}
		return nil, &sandbox.FunctionError{
			Status: 500, Message: "m " + value, Text: "Error: m " + value, Stack: "Error: m " + value + "\n    at x",
		}
	})
	pool.fails("a/g.js", &sandbox.FunctionError{Status: 500, Message: "other", Text: "Error: other"})

	result, err := v.Run(t.Context(), Call{ID: "1", Ref: ref("a/f"), Request: sandbox.Request{Body: json.RawMessage(`"answer"`)}})
	if err != nil || string(result.Body) != `"`+value+`"` {
		t.Errorf("what the function sends is %v, %v", result, err)
	}
	_, err = v.Run(t.Context(), Call{ID: "2", Ref: ref("a/f"), Request: sandbox.Request{Body: json.RawMessage(`{"k":"` + value + `"}`)}})
	if err == nil || outcome.Of(err).Message != "m ***" {
		t.Errorf("what it throws is %v", err)
	}
	// A step after it gets what it has answered, and fails.
	steps := []function.Ref{ref("a/f"), ref("a/g")}
	if _, err := v.Pipeline(t.Context(), steps, Call{ID: "3", Request: sandbox.Request{Body: json.RawMessage(`"answer"`)}}); err == nil {
		t.Error("the pipeline did not fail")
	}
	// So it does on another server.
	call := Call{ID: "4", Request: sandbox.Request{Body: json.RawMessage(`"answer"`)}}
	if _, err := (&fixture{Invoker: v}).oneByOne(t.Context(), steps, call); err == nil {
		t.Error("the step did not fail")
	}
	lines := slices.Clone(out.lines)
	for _, report := range reports.all {
		thrown, _ := isFunctionError(report.Err)
		lines = append(lines, report.Text, thrown.Message, thrown.Stack, string(report.Call.Request.Body))
		for _, step := range report.Earlier {
			lines = append(lines, string(step.Body))
		}
	}
	text := strings.Join(lines, "\n")
	if strings.Contains(text, value) || strings.Count(text, secrets.Mask) < 8 {
		t.Errorf("what leaves is %s", text)
	}
	if len(reports.all) != 3 || string(reports.all[0].Call.Request.Body) != `{"k":"***"}` || len(reports.all[1].Earlier) != 1 ||
		len(reports.all[2].Earlier) != 1 {
		t.Errorf("reported are %s", text)
	}
}

// printed is an Output that keeps lines.
type printed struct{ lines []string }

func (p *printed) Start(Call) RunOutput                       { return p }
func (p *printed) Print(_ function.Ref, line sandbox.LogLine) { p.Line(line) }
func (p *printed) Line(line sandbox.LogLine)                  { p.lines = append(p.lines, line.Text) }
func (*printed) Finish(status int, took time.Duration)        {}
func takeStream(sandbox.StreamHead) (io.Writer, error)        { return io.Discard, nil }
func streamError(err error) error                             { return &sandbox.StreamError{Err: err} }

func isFunctionError(err error) (*sandbox.FunctionError, bool) {
	return errors.AsType[*sandbox.FunctionError](err)
}

func TestErrorsOfStreamsAreMasked(t *testing.T) {
	pool := &fakePool{}
	v := New(Options{
		Pool: pool, Secrets: keeping(t, map[string]string{"a/KEY": "sk_live_canary"}),
		Source: newSource(askingFor("a/f", nil, "KEY")),
	})
	pool.does("a/f.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		if _, err := inv.OnHead(sandbox.StreamHead{Status: http.StatusOK}); err != nil {
			return nil, err
		}
		return nil, streamError(&sandbox.FunctionError{Message: "m sk_live_canary", Text: "Error: m sk_live_canary"})
	})
	_, err := v.Run(t.Context(), Call{ID: "1", Ref: ref("a/f"), OnHead: takeStream})
	if thrown, ok := isFunctionError(err); !ok || thrown.Message != "m ***" {
		t.Errorf("got %v", err)
	}
}
