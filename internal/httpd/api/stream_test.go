package api

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

func TestBytesAreAnsweredAsTheyAre(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	page := []byte("<h1>é</h1>")
	for name, row := range map[string]struct {
		result sandbox.Result
		method string
		header []string // of the request
		status int
		body   string
		want   map[string]string // of the answer's headers
	}{
		"a type of its own": {
			sandbox.Result{Status: 200, Header: fields("Content-Type", "text/html; charset=utf-8"), Bytes: page},
			"GET", nil,
			200, string(page),
			map[string]string{"Content-Type": "text/html; charset=utf-8", "Etag": weakTag(page), "Content-Length": "11"},
		},
		"no charset is added": {
			sandbox.Result{Status: 200, Header: fields("Content-Type", "text/css"), Bytes: page},
			"GET", nil,
			200, string(page),
			map[string]string{"Content-Type": "text/css"},
		},
		"no type": {
			sandbox.Result{Status: 201, Bytes: every},
			"POST", nil,
			201, string(every),
			map[string]string{"Content-Type": "application/octet-stream"},
		},
		"nothing": {
			sandbox.Result{Status: 200, Bytes: []byte{}},
			"GET", nil,
			200, "",
			map[string]string{"Content-Type": "", "Content-Length": "0", "Etag": ""},
		},
		"a status without content": {
			sandbox.Result{Status: 205, Header: fields("Content-Type", "text/css"), Bytes: page},
			"POST", nil,
			205, "",
			map[string]string{"Content-Length": "0", "Etag": ""},
		},
		"nothing of a type": {
			sandbox.Result{Status: 200, Header: fields("Content-Type", "text/css", "ETag", `"v1"`), Bytes: []byte{}},
			"GET", nil,
			200, "",
			map[string]string{"Content-Type": "text/css", "Content-Length": "0", "Etag": `"v1"`},
		},
		"a redirect": {
			sandbox.Result{Status: 307, Header: fields("Location", "/a"), Bytes: []byte{}},
			"POST", nil,
			307, "",
			map[string]string{"Content-Type": "", "Content-Length": "0", "Etag": "", "Location": "/a"},
		},
		"HEAD": {
			sandbox.Result{Status: 200, Bytes: page},
			"HEAD", nil,
			200, "",
			map[string]string{"Content-Length": "11", "Etag": weakTag(page)},
		},
		"known to the caller": {
			sandbox.Result{Status: 200, Bytes: page},
			"GET",
			[]string{"If-None-Match", weakTag(page)},
			304, "",
			map[string]string{"Content-Type": "", "Etag": weakTag(page)},
		},
		"a tag of its own": {
			sandbox.Result{Status: 200, Header: fields("ETag", `"v1"`), Bytes: page},
			"GET",
			[]string{"If-None-Match", `"v1"`},
			304, "",
			map[string]string{"Etag": `"v1"`},
		},
		"a type that nobody can read": {
			sandbox.Result{Status: 200, Header: fields("Content-Type", "x; y"), Bytes: page},
			"GET", nil,
			200, string(page),
			map[string]string{"Content-Type": "x; y"},
		},
		"a header that cannot be sent": {
			sandbox.Result{Status: 200, Header: fields("X-A", "a\nb"), Bytes: page},
			"GET", nil,
			500, `{"error":"The header content contains invalid characters"}`, nil,
		},
		"a status that announces another answer": {
			sandbox.Result{Status: 103, Bytes: page}, "GET", nil, 500, `{"error":"Invalid status code: 103"}`, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			res, body := ran(t, &row.result, row.method, row.header...)
			expect(t, res, body, row.status, row.body)
			for header, want := range row.want {
				if got := res.Header.Get(header); got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
		})
	}
}

// streaming is an invoker of a function that streams: feed writes the answer once its head was taken.
func streaming(head sandbox.StreamHead, feed func(to streamTo) error) *fakeInvoker {
	stream := func(call invoke.Call) (*sandbox.Result, error) {
		w, err := call.OnHead(head)
		if err == nil {
			err = feed(w.(streamTo))
		}
		if err != nil {
			return nil, &sandbox.StreamError{Err: err}
		}
		return &sandbox.Result{Status: head.Status, Header: head.Header, Streamed: true}, nil
	}
	return &fakeInvoker{
		run:      stream,
		pipeline: func(_ []function.Ref, call invoke.Call) (*sandbox.Result, error) { return stream(call) },
	}
}

// streamTo is what a stream is written to.
type streamTo interface {
	io.Writer
	Flush() error
}

func TestAStreamReachesItsCallerAsItComes(t *testing.T) {
	for _, request := range []string{"GET /functions/ns/f/run", "PUT /functions/pipeline?steps[]=ns/f"} {
		more := make(chan string)
		url := serve(t, Options{Invoker: streaming(
			sandbox.StreamHead{Status: 202, Header: fields("Content-Type", "text/event-stream", "X-A", "1")},
			func(to streamTo) error {
				for text := range more {
					if _, err := io.WriteString(to, text); err != nil {
						return err
					}
					if err := to.Flush(); err != nil {
						return err
					}
				}
				return nil
			},
		)})
		method, path, _ := strings.Cut(request, " ")
		go func() { more <- "data: 1\n" }()
		res, err := http.DefaultTransport.RoundTrip(newRequest(t, method, url+path, ""))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(res.Body)
		for _, next := range []string{"data: 2\n", "data: 3\n", ""} {
			line, err := lines.ReadString('\n') // is there before the next one is written
			if err != nil || !strings.HasPrefix(line, "data: ") {
				t.Fatalf("%s: got %q, %v", request, line, err)
			}
			if next != "" {
				more <- next
			}
		}
		close(more)
		if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
			t.Errorf("%s: at the end %q, %v", request, rest, err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 202 || res.Header.Get("Content-Type") != "text/event-stream" || res.ContentLength != -1 ||
			res.Header.Get("Etag") != "" || res.Header.Get("X-A") != "1" {
			t.Errorf("%s: %d %v", request, res.StatusCode, res.Header)
		}
	}
}

func TestTheHeadOfAStreamIsSentBeforeItsFirstByte(t *testing.T) {
	end := make(chan struct{})
	url := serve(t, Options{Invoker: streaming(sandbox.StreamHead{Status: 200}, func(to streamTo) error {
		err := to.Flush()
		<-end
		return err
	})})
	res, err := http.DefaultTransport.RoundTrip(newRequest(t, "GET", url+"/functions/ns/f/run", ""))
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	close(end)
	if text := readAll(t, res.Body); text != "" {
		t.Errorf("read %q", text)
	}
}

// How soon the pieces of a stream come makes no difference to its head.
func TestAStreamThatIsThereAtOnceHasNoLength(t *testing.T) {
	for _, text := range []string{"", "all of it"} {
		url := serve(t, Options{Invoker: streaming(sandbox.StreamHead{Status: 200}, func(to streamTo) error {
			_, err := io.WriteString(to, text)
			return err
		})})
		res, err := http.DefaultTransport.RoundTrip(newRequest(t, "GET", url+"/functions/ns/f/run", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, res.Body); got != text || res.ContentLength != -1 {
			t.Errorf("read %q, a length of %d", got, res.ContentLength)
		}
	}
}

func TestOnlyTheHeadOfAStreamIsSentWhereThatIsEnough(t *testing.T) {
	tagged := fields("ETag", `"v1"`, "Content-Length", "9")
	for name, row := range map[string]struct {
		method string
		header []string
		head   sandbox.StreamHead
		status int
	}{
		"HEAD":                {"HEAD", nil, sandbox.StreamHead{Status: 200, Header: tagged}, 200},
		"known to the caller": {"GET", []string{"If-None-Match", `"v1"`}, sandbox.StreamHead{Status: 200, Header: tagged}, 304},
		"no content":          {"GET", nil, sandbox.StreamHead{Status: 204}, 204},
		"reset content":       {"POST", nil, sandbox.StreamHead{Status: 205}, 205},
	} {
		t.Run(name, func(t *testing.T) {
			fed := false
			url := serve(t, Options{Invoker: streaming(row.head, func(streamTo) error {
				fed = true
				return nil
			})})
			res, body := do(t, newRequest(t, row.method, url+"/functions/ns/f/run", "", row.header...))
			expect(t, res, body, row.status, "")
			if fed {
				t.Error("the function streams on")
			}
			want := map[int]string{205: "0"}[row.status]
			if length := res.Header.Get("Content-Length"); length != want {
				t.Errorf("the length is %q, want %q", length, want)
			}
		})
	}
}

func TestAHeadThatCannotBeSentIsAnError(t *testing.T) {
	for want, head := range map[string]sandbox.StreamHead{
		`{"error":"Invalid status code: 101"}`:                       {Status: 101},
		`{"error":"The header content contains invalid characters"}`: {Status: 200, Header: fields("X-A", "a\r\nb")},
	} {
		url := serve(t, Options{Invoker: streaming(head, func(streamTo) error { return nil })})
		res, body := do(t, newRequest(t, "GET", url+"/functions/ns/f/run", ""))
		expect(t, res, body, 500, want)
	}
}

// A stream that fails must not look whole: its connection is cut before the last chunk.
func TestAStreamThatFailsIsCut(t *testing.T) {
	for name, row := range map[string]struct {
		err    error
		logged string
	}{
		"thrown":    {&sandbox.FunctionError{Status: 400, Message: "why"}, ""},
		"dead":      {&sandbox.DeathError{Reason: sandbox.ReasonMemory}, "Worker died"},
		"idle":      {&sandbox.DeathError{Reason: sandbox.ReasonStreamIdle}, "Worker died"},
		"not taken": {errors.New("broken pipe"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			answers := make(chan Answer, 1)
			url := serve(t, Options{
				Logger:    slog.New(slog.NewTextHandler(&log, nil)),
				AccessLog: func(_ *http.Request, a Answer) { answers <- a },
				Invoker: streaming(sandbox.StreamHead{Status: 200}, func(to streamTo) error {
					_, _ = io.WriteString(to, "half") // which reaches the caller, though nobody flushes it
					return row.err
				}),
			})
			answer := raw(t, url, "GET /functions/ns/f/run HTTP/1.1\r\nHost: h\r\n\r\n") // until the connection is closed
			if !strings.HasSuffix(answer, "\r\n\r\n4\r\nhalf\r\n") {
				t.Errorf("answered %q", answer)
			}
			if a := <-answers; !a.Aborted || a.Sent != 4 || a.Status != 200 || a.Length != -1 {
				t.Errorf("the access log is told %+v", a)
			}
			if text := log.String(); !strings.Contains(text, row.logged) || row.logged == "" && text != "" {
				t.Errorf("logged %q", text)
			}
		})
	}
}

func TestAWholeStreamIsNotAborted(t *testing.T) {
	answers := make(chan Answer, 1)
	handler := New(Options{
		Store: newFakeStore(), AccessLog: func(_ *http.Request, a Answer) { answers <- a },
		Invoker: streaming(sandbox.StreamHead{Status: 200}, func(to streamTo) error {
			_, err := io.WriteString(to, "whole")
			return err
		}),
	}).API
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequest("GET", "/functions/ns/f/run", nil))
	if a := <-answers; a.Aborted || a.Sent != 5 || rec.Body.String() != "whole" {
		t.Errorf("the access log is told %+v of %q", a, rec.Body)
	}
}
