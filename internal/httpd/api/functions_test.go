package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

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
			400, `{"error":"Error: Function exceeded its memory limit (WORKER_MEMORY_LIMIT)","stack":"","reason":"memory_limit"}`,
			[]string{"n/f: Failed to post code: Error: Function exceeded its memory limit (WORKER_MEMORY_LIMIT)"},
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

func TestHiddenVariablesAreInNoAnswer(t *testing.T) {
	store := newFakeStore()
	url := serve(t, Options{Store: store, HiddenEnv: []string{"CLIENT_SECRET", "B c"}})
	sent := `{"code":"function main() {}","env":{"CLIENT_SECRET":"s1","A":"1","B c":"s2","client_secret":"2"}}`
	const shown = `"env":{"A":"1","client_secret":"2"}`
	for _, request := range []*http.Request{
		newRequest(t, "PUT", url+"/functions/ns/f", sent, "Content-Type", "application/json"),
		newRequest(t, "POST", url+"/functions/ns/f", sent, "Content-Type", "application/json"),
		newRequest(t, "PUT", url+"/functions/ns/f/env/CLIENT_SECRET", `"s3"`, "Content-Type", "application/json"),
		newRequest(t, "GET", url+"/functions/ns/f", ""),
		newRequest(t, "DELETE", url+"/functions/ns/f/env/B%20c", ""),
		newRequest(t, "GET", url+"/functions/ns/f", ""),
	} {
		res, body := do(t, request)
		want := map[int]string{200: shown}[res.StatusCode]
		if res.StatusCode > 204 || !strings.Contains(body, want) || strings.Contains(body, "CLIENT_SECRET") || strings.Contains(body, "B c") {
			t.Errorf("%s %s answered %d %s", request.Method, request.URL.Path, res.StatusCode, body)
		}
	}
	stored, err := store.Get(t.Context(), function.Ref{Namespace: "ns", ID: "f"})
	if err != nil {
		t.Fatal(err)
	}
	if text := string(envJSON(stored.Env)); text != `{"CLIENT_SECRET":"s3","A":"1","client_secret":"2"}` {
		t.Errorf("stored %s", text)
	}
}

func TestUpdatesAreTold(t *testing.T) {
	var told []int
	url := serve(t, Options{
		Updated: func(status int, _ time.Duration) { told = append(told, status) },
		Invoker: &fakeInvoker{check: func(ref function.Ref, _ string) error {
			return map[string]error{"bad": &sandbox.FunctionError{Text: "SyntaxError"}, "busy": sandbox.ErrBusy}[ref.ID]
		}},
	})
	for _, id := range []string{"good", "bad", "busy"} {
		do(t, newRequest(t, "PUT", url+"/functions/ns/"+id, `{"code":"function main() {}"}`, "Content-Type", "application/json"))
	}
	do(t, newRequest(t, "PUT", url+"/functions/ns/f", `{"code":1}`, "Content-Type", "application/json"))
	do(t, newRequest(t, "POST", url+"/functions/ns/f", `{"code":"function main() {}"}`, "Content-Type", "application/json"))
	do(t, newRequest(t, "POST", url+"/functions/ns/f", `[]`, "Content-Type", "application/json"))
	if want := []int{200, 400, 503, 400, 200}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
