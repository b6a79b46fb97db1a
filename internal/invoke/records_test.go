package invoke

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/sandbox"
)

// keptCalls are Records of all calls.
type keptCalls struct{ all []*Ended }

func (k *keptCalls) Wants(function.Ref, int) bool { return true }
func (k *keptCalls) Ended(e *Ended)               { k.all = append(k.all, e) }

func TestRecordsAreToldOfEachCall(t *testing.T) {
	pool, kept := &fakePool{}, &keptCalls{}
	refs := []function.Ref{{Namespace: "ns", ID: "a"}, {Namespace: "ns", ID: "b"}}
	v := New(Options{
		Pool: pool, Records: kept,
		Source: newSource(function.Function{Ref: refs[0], Code: "1"}, function.Function{Ref: refs[1], Code: "2"}),
	})
	pool.does("ns/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		for i := range 25 {
			inv.OnLog(sandbox.LogLine{Level: "info", Text: fmt.Sprint(i)})
		}
		return nil, &sandbox.FunctionError{Status: 500, Message: "no", Text: "Error: no"}
	})
	call := Call{ID: "r1", TraceID: "t1", Ref: refs[0], Via: "route"}
	call.Key = limits.Key{ID: "key1"}
	if _, err := v.Run(context.Background(), call); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Pipeline(context.Background(), refs, call); err == nil {
		t.Fatal("the second step has not failed")
	}
	call.Queued = &sandbox.Queued{ID: "q1", Attempt: 1}
	if _, err := v.Run(context.Background(), call); err != nil {
		t.Fatal(err)
	}
	if len(kept.all) != 3 {
		t.Fatalf("there are %d", len(kept.all))
	}
	for i, want := range []string{"a 0 200 []", "a 1 200 []", "b 2 500 Error: no [15 16 17 18 19 20 21 22 23 24]"} {
		e := kept.all[i]
		var lines []string
		for _, line := range e.Lines {
			lines = append(lines, line.Text)
		}
		got := strings.Join(strings.Fields(fmt.Sprint(e.Function.ID, " ", e.Step, " ", e.Status, " ", e.Text, " ", lines)), " ")
		if got != want || e.ID != "r1" || e.Caller != "key1" || e.TraceID != "t1" || e.Via != "route" {
			t.Errorf("it is %s, want %s: %+v", got, want, e)
		}
	}
}

func TestFewLinesAreAllKept(t *testing.T) {
	var l lastLines
	if n := len(l.all()); n != 0 {
		t.Errorf("there are %d", n)
	}
	for i := range mostLast {
		l.add(sandbox.LogLine{Text: fmt.Sprint(i)})
		if all := l.all(); len(all) != i+1 || all[i].Text != fmt.Sprint(i) {
			t.Errorf("after %d lines: %v", i+1, all)
		}
	}
}
