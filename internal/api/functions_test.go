package api

import (
	"errors"
	"slices"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

func TestPutRefusesCodeThatFailsItsTrialRun(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		status int
		want   string
		log    []string
	}{
		{
			"thrown", &sandbox.FunctionError{Status: 404, Text: "TypeError: x", Frames: "at n/f.js:1\nat n/f.js:2", Stack: secret},
			400, `{"error":"TypeError: x","stack":"at n/f.js:1\nat n/f.js:2"}`,
			[]string{"n/f: Failed to post code: TypeError: x"},
		},
		{
			"endless", &sandbox.DeathError{Reason: sandbox.ReasonSyncDeadline, Detail: secret},
			400, `{"error":"Error: Script execution timed out.","stack":""}`,
			[]string{"n/f: Failed to post code: Error: Script execution timed out."},
		},
		{
			"too much memory", &sandbox.DeathError{Reason: sandbox.ReasonMemory, Detail: secret},
			400, `{"error":"Error: Function exceeded its memory limit","stack":"","reason":"memory_limit"}`,
			[]string{"n/f: Failed to post code: Error: Function exceeded its memory limit"},
		},
		{"busy", sandbox.ErrBusy, 503, `{"error":"No worker is free"}`, nil},
		{"closing", &sandbox.DeathError{Reason: sandbox.ReasonClosed}, 503, `{"error":"Server is shutting down"}`, nil},
		{"a fault of the server", errors.New(secret), 500, `{"error":"internal error"}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := newFakeStore()
			var log []string
			url := serve(t, Options{
				Store:       store,
				Invoker:     &fakeInvoker{check: func(function.Ref, string) error { return test.err }},
				FunctionLog: func(ref function.Ref, line string) { log = append(log, ref.String()+": "+line) },
			})
			res, body := do(t, newRequest(t, "PUT", url+"/functions/n/f", `{"code":"x"}`, "Content-Type", "application/json"))
			expect(t, res, body, test.status, test.want)
			if !slices.Equal(log, test.log) {
				t.Errorf("logged %q, want %q", log, test.log)
			}
			if len(store.functions) > 0 {
				t.Error("the code was stored")
			}
		})
	}
}

func TestPutRunsTheCodeThatItStores(t *testing.T) {
	var checked []string
	store := newFakeStore()
	url := serve(t, Options{Store: store, Invoker: &fakeInvoker{check: func(ref function.Ref, code string) error {
		checked = append(checked, ref.String()+" "+code)
		return nil
	}}})
	do(t, newRequest(t, "PUT", url+"/functions/n/f", `{"code":"\ud800 \u00e9"}`, "Content-Type", "application/json"))
	if want := []string{"n/f \ufffd é"}; !slices.Equal(checked, want) {
		t.Errorf("checked %q, want %q", checked, want)
	}
	if f := store.functions[function.Ref{Namespace: "n", ID: "f"}]; f == nil || f.Code != "\ufffd é" {
		t.Errorf("stored %+v", f)
	}
}

func TestGetOfAMissingFunctionIsLogged(t *testing.T) {
	var log []string
	url := serve(t, Options{FunctionLog: func(ref function.Ref, line string) { log = append(log, ref.String()+": "+line) }})
	do(t, newRequest(t, "GET", url+"/functions/n/f", ""))
	if want := []string{"n/f: Code not found"}; !slices.Equal(log, want) {
		t.Errorf("logged %q, want %q", log, want)
	}
}

func TestGetOfAnEarlyRecordLeavesOutWhatItDoesNotHave(t *testing.T) {
	store := newFakeStore()
	ref := function.Ref{Namespace: "n", ID: "f"}
	empty := ""
	store.functions[ref] = &function.Function{Ref: ref, Code: "1", Hash: "h"}
	store.namespaces["n"] = &function.Namespace{Name: "n", SentryDSN: &empty}
	res, body := do(t, newRequest(t, "GET", serve(t, Options{Store: store})+"/functions/n/f", ""))
	expect(t, res, body, 200, `{"id":"f","namespace":"n","code":"1","hash":"h","namespaceSettings":{"sentryDSN":""},"versionID":null,"sentryDSN":null}`)
}

func TestParseIntReadsAsJavaScriptDoes(t *testing.T) {
	for text, want := range map[string]int{
		"": 7, "3": 3, " \t\n\u00a0\ufeff3": 3, "+3": 3, "-3": -3, "3x": 3, "3.9": 3, "0003": 3, "3e5": 3, "0x10": 0,
		"99999999999999999999": 1<<63 - 1, "-99999999999999999999": -(1<<63 - 1),
	} {
		if got, ok := parseInt(text, 7); !ok || got != want {
			t.Errorf("parseInt(%q) = %d, %t, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{" ", "x3", "+", "-", "--3", "+-3", ".5", "Infinity", "- 3"} {
		if got, ok := parseInt(text, 7); ok {
			t.Errorf("parseInt(%q) = %d, want none", text, got)
		}
	}
}
