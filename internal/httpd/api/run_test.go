package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// ran calls a function that answers with result.
func ran(t *testing.T, result *sandbox.Result, method string, header ...string) (*http.Response, string) {
	t.Helper()
	url := serve(t, Options{Invoker: answering(result, nil)})
	return do(t, newRequest(t, method, url+"/functions/ns/f/run", "", header...))
}

func fields(pairs ...string) (list []sandbox.HeaderField) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, sandbox.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}

func TestRunHandsTheRequestToTheFunction(t *testing.T) {
	var got invoke.Call
	url := serve(t, Options{Invoker: &fakeInvoker{run: func(call invoke.Call) (*sandbox.Result, error) {
		got = call
		return &sandbox.Result{Status: 200, Body: json.RawMessage("1")}, nil
	}}})
	req := newRequest(t, "PROPFIND", url+"/FUNCTIONS/n%2Fs/%C3%A9:f/Run/?b=1&a[]=x&1=y", ` {"k" : 1.0} `,
		"Content-Type", "application/json", "X-Request-Id", "call-7", "User-Agent", "test", "Accept-Encoding", "gzip")
	res, _ := do(t, req)
	want := invoke.Call{ID: "call-7", Ref: function.Ref{Namespace: "n/s", ID: "é:f"}, URI: strings.TrimPrefix(req.URL.String(), url), Request: sandbox.Request{
		Method: "PROPFIND",
		Header: json.RawMessage(`{"accept-encoding":"gzip","content-length":"13","content-type":"application/json","host":"` +
			strings.TrimPrefix(url, "http://") + `","user-agent":"test","x-request-id":"call-7"}`),
		Query: json.RawMessage(`{"1":"y","b":"1","a":["x"]}`),
		Body:  json.RawMessage(`{"k" : 1.0}`),
	}}
	if got.OnHead == nil {
		t.Error("the function cannot stream")
	}
	got.OnHead, got.Standing = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the function was called with\n%s %+v\n%s\n%s\n%s", got.ID, got.Ref, got.Request.Header, got.Request.Query, got.Request.Body)
	}
	if id := res.Header.Get("X-Request-Id"); id != "call-7" {
		t.Errorf("the answer's ID is %q", id)
	}
}

func TestRunAnswersWithHeadersOfTheFunction(t *testing.T) {
	for _, test := range []struct {
		name   string
		set    []sandbox.HeaderField
		header string
		want   []string
	}{
		{"a list is several lines", fields("Set-Cookie", "a=1", "Set-Cookie", "b=2"), "Set-Cookie", []string{"a=1", "b=2"}},
		{"another spelling replaces", fields("x-a", "1", "X-A", "2"), "X-A", []string{"2"}},
		{"a list replaces what another spelling set", fields("x-a", "1", "X-A", "2", "X-A", "3"), "X-A", []string{"2", "3"}},
		{"of types the last counts", fields("Content-Type", "text/css", "Content-Type", "text/html"), "Content-Type", []string{"text/html; charset=utf-8"}},
		{"a character is a byte", fields("X-A", "José \u0080ÿ"), "X-A", []string{"Jos\xe9 \x80\xff"}},
		{"the binary idiom", fields("X-A", "JosÃ©â\u0098\u0083"), "X-A", []string{"José☃"}},
		{"a type with a quoted byte", fields("Content-Type", `text/html; a="é"`), "Content-Type", []string{"text/html; a=\"\xe9\"; charset=utf-8"}},
		{"a type with a parameter twice", fields("Content-Type", "a/b; C = 1;c=2"), "Content-Type", []string{"a/b; c=2; charset=utf-8"}},
		{"a type with a semicolon behind", fields("Content-Type", "a/b;"), "Content-Type", []string{"a/b; charset=utf-8"}},
		{"the function may name the call", fields("X-Request-Id", "mine"), "X-Request-Id", []string{"mine"}},
		{"a date of its own", fields("Date", "then"), "Date", []string{"then"}},
		{"no length of its own", fields("content-length", "99"), "Content-Length", []string{"3"}},
		{"no framing of its own", fields("transfer-encoding", "chunked"), "Transfer-Encoding", nil},
		{"no connection of its own", fields("CONNECTION", "close"), "Connection", nil},
		{"no proxy headers", fields("proxy-authenticate", "x"), "Proxy-Authenticate", nil},
		{"no upgrade", fields("Upgrade", "h2c"), "Upgrade", nil},
		{"no TE", fields("TE", "trailers"), "Te", nil},
		{"an empty tag is none", fields("ETag", ""), "ETag", []string{weakTag([]byte(`"x"`))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body := ran(t, &sandbox.Result{Status: 200, Header: test.set, Body: json.RawMessage(`"x"`)}, "GET")
			expect(t, res, body, 200, `"x"`)
			if got := res.Header.Values(test.header); !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s is %q, want %q", test.header, got, test.want)
			}
		})
	}
}

func TestRunRefusesAnswersThatCannotBeSent(t *testing.T) {
	const header = `{"error":"The header content contains invalid characters"}`
	for _, test := range []struct {
		name   string
		result sandbox.Result
		want   string
	}{
		{"line break", sandbox.Result{Status: 200, Header: fields("X-A", "a\r\nX-B: 1")}, header},
		{"line feed", sandbox.Result{Status: 200, Header: fields("X-A", "a\nb")}, header},
		{"above a byte", sandbox.Result{Status: 200, Header: fields("X-A", "☃")}, header},
		{"just above a byte", sandbox.Result{Status: 200, Header: fields("X-A", "1", "X-B", "éĀ")}, header},
		{"DEL", sandbox.Result{Status: 200, Header: fields("X-A", "\x7f")}, header},
		{"above a byte in a name", sandbox.Result{Status: 200, Header: fields("Xé", "1")}, header},
		{"NUL", sandbox.Result{Status: 200, Header: fields("X-A", "a\x00b")}, header},
		{"space in a name", sandbox.Result{Status: 200, Header: fields("X A", "1")}, header},
		{"empty name", sandbox.Result{Status: 200, Header: fields("", "1")}, header},
		{"colon in a name", sandbox.Result{Status: 200, Header: fields("X:A", "1")}, header},
		{"line break in a name", sandbox.Result{Status: 200, Header: fields("X\nA", "1")}, header},
		{"status 0", sandbox.Result{}, `{"error":"Invalid status code: 0"}`},
		{"status 100", sandbox.Result{Status: 100}, `{"error":"Invalid status code: 100"}`},
		{"status 101", sandbox.Result{Status: 101}, `{"error":"Invalid status code: 101"}`},
		{"status 1000", sandbox.Result{Status: 1000}, `{"error":"Invalid status code: 1000"}`},
		{"a parameter without a value", sandbox.Result{Status: 200, Header: fields("Content-Type", "a/b; utf-8"), Body: []byte("1")}, `{"error":"invalid media type"}`},
		{"a parameter that does not end", sandbox.Result{Status: 200, Header: fields("Content-Type", `a/b; c="d`), Body: []byte("1")}, `{"error":"invalid media type"}`},
		{"text behind a parameter", sandbox.Result{Status: 200, Header: fields("Content-Type", `a/b; c="d" e`), Body: []byte("1")}, `{"error":"invalid media type"}`},
		{"type without a slash", sandbox.Result{Status: 200, Header: fields("Content-Type", "json"), Body: []byte("1")}, `{"error":"invalid media type"}`},
		{"empty subtype", sandbox.Result{Status: 200, Header: fields("content-type", "text/"), Body: []byte("1")}, `{"error":"invalid media type"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body := ran(t, &test.result, "GET")
			expect(t, res, body, 500, test.want)
			if got := res.Header.Get("X-A") + res.Header.Get("X-B"); got != "" {
				t.Errorf("a header of the refused answer was sent: %q", got)
			}
		})
	}
}

func TestRunOfUndefinedIsEmptyWithoutATag(t *testing.T) {
	res, body := ran(t, &sandbox.Result{Status: 200}, "GET", "If-None-Match", "x")
	expect(t, res, body, 200, "")
	if got := res.Header.Get("Content-Type") + res.Header.Get("Content-Length"); got != "application/json0" {
		t.Errorf("type and length are %q", got)
	}
	if tag, ok := res.Header["Etag"]; ok {
		t.Errorf("the tag is %q", tag)
	}
}

func TestRunWithoutBodyStatusDropsWhatDescribesTheBody(t *testing.T) {
	for _, status := range []int{204, 304} {
		set := fields("Content-Type", "text/css", "Content-Length", "9", "ETag", `"v1"`, "X-A", "1")
		res, body := ran(t, &sandbox.Result{Status: status, Header: set, Body: []byte("null")}, "GET")
		expect(t, res, body, status, "")
		for name, want := range map[string]string{"Content-Type": "", "Content-Length": "", "ETag": `"v1"`, "X-A": "1"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%d: %s is %q, want %q", status, name, got, want)
			}
		}
	}
}

func TestETagIsSpelledAsEveryoneSpellsIt(t *testing.T) {
	answer := raw(t, serve(t, Options{Invoker: answering(&sandbox.Result{Status: 200, Body: []byte("1")}, nil)}),
		"GET /functions/ns/f/run HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if !strings.Contains(answer, "\r\nETag: W/\"1-") {
		t.Errorf("answered %q", answer)
	}
}

func TestBodyLimitIsKept(t *testing.T) {
	url := serve(t, Options{BodyLimit: 10})
	for path, method := range map[string]string{
		"/functions/ns/f": "PUT", "/functions/ns/f/env/A": "PUT", "/namespaces/ns": "PUT", "/functions/ns/f/run": "POST", "/functions/pipeline": "PUT",
	} {
		res, body := do(t, newRequest(t, method, url+path, `{"a":"`+strings.Repeat("x", 10)+`"}`, "Content-Type", "application/json"))
		expect(t, res, body, 413, `{"error":"request entity too large"}`)
	}
}

func TestDefaultBodyLimitIsOneMebibyte(t *testing.T) {
	url := serve(t, Options{Invoker: answering(&sandbox.Result{Status: 200, Body: []byte("1")}, nil)})
	send := func(size int) int {
		body := `{"a":"` + strings.Repeat("x", size-len(`{"a":""}`)) + `"}`
		res, _ := do(t, newRequest(t, "PUT", url+"/functions/ns/f/run", body, "Content-Type", "application/json"))
		return res.StatusCode
	}
	if got := send(1 << 20); got != 200 {
		t.Errorf("a body of 1 MiB answers %d", got)
	}
	if got := send(1<<20 + 1); got != 413 {
		t.Errorf("a body of 1 MiB and a byte answers %d", got)
	}
}

func TestPipelineHandsOverItsSteps(t *testing.T) {
	var got []function.Ref
	url := serve(t, Options{Invoker: &fakeInvoker{pipeline: func(steps []function.Ref, call invoke.Call) (*sandbox.Result, error) {
		got = steps
		if call.ID == "" || string(call.Request.Body) != `{"n":1}` {
			t.Errorf("the pipeline was called with %+v", call)
		}
		return &sandbox.Result{Status: 200, Body: json.RawMessage("1")}, nil
	}}})
	path := "/functions/pipeline?steps[0]=a/b&steps[1]=c%252Fd/e/f&steps[2]=g&steps[3]=/h&steps[4]=i/"
	res, body := do(t, newRequest(t, "PUT", url+path, `{"n":1}`, "Content-Type", "application/json"))
	expect(t, res, body, 200, "1")
	want := []function.Ref{{Namespace: "a", ID: "b"}, {Namespace: "c%2Fd", ID: "e"}, {Namespace: "g", ID: "undefined"}, {ID: "h"}, {Namespace: "i"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the steps are %v, want %v", got, want)
	}
}

func TestErrorOfAPipelineNamesItsStep(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"thrown": {
			&sandbox.FunctionError{Message: "no item", Status: 404, HasStatus: true}, 404,
			`{"error":"no item","details":{"message":"Got error when execute pipeline function n/\"g"}}`,
		},
		"dead": {
			&sandbox.DeathError{Reason: sandbox.ReasonMemory}, 500,
			`{"error":"Function exceeded its memory limit (WORKER_MEMORY_LIMIT)","reason":"memory_limit",` +
				`"details":{"message":"Got error when execute pipeline function n/\"g"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			step := &invoke.StepError{Ref: function.Ref{Namespace: "n", ID: `"g`}, Err: test.err}
			url := serve(t, Options{Invoker: answering(nil, step)})
			res, body := do(t, newRequest(t, "PUT", url+"/functions/pipeline?steps[]=n/f", ""))
			expect(t, res, body, test.status, test.want)
		})
	}
}

// An answer that cannot be sent is an error of the whole pipeline, as it was in the original.
func TestAnswerOfAPipelineThatCannotBeSentHasDetails(t *testing.T) {
	result := &sandbox.Result{Status: 200, Header: []sandbox.HeaderField{{Name: "X", Value: "a\nb"}}, Body: json.RawMessage("1")}
	res, body := do(t, newRequest(t, "PUT", serve(t, Options{Invoker: answering(result, nil)})+"/functions/pipeline?steps[]=n/f", ""))
	expect(t, res, body, 500, `{"error":"The header content contains invalid characters","details":{}}`)
}

func BenchmarkRun(b *testing.B) {
	h := New(Options{Store: newFakeStore(), Invoker: answering(&sandbox.Result{Status: 200, Body: json.RawMessage(`{"a":1}`)}, nil)}).API
	req, err := http.NewRequestWithContext(b.Context(), "PUT", "/functions/ns/f/run", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.RequestURI, req.Host = "/functions/ns/f/run", "127.0.0.1:8100"
	req.Header.Set("User-Agent", "bench")
	req.Header.Set("Accept", "*/*")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(discardWriter{}, req)
	}
}

type discardWriter struct{}

func (discardWriter) Header() http.Header         { return http.Header{} }
func (discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (discardWriter) WriteHeader(int)             {}
