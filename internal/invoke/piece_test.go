package invoke

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

// streamingStep is a step of a test's pipeline: its function's option body, and what it answers.
type streamingStep struct {
	form   string
	status int
	answer string // JSON, or with "bytes:" before it bytes, or with "stream:" pieces with "|" between them
	typ    string // its Content-Type; empty for none
}

// newMixedPipeline returns a fixture whose functions p/1, p/2 … answer as told.
func newMixedPipeline(steps []streamingStep) (*fixture, []function.Ref) {
	f := newFixture()
	var refs []function.Ref
	for i, s := range steps {
		id := fmt.Sprintf("p/%d", i+1)
		fn := stored(id, "code")
		if s.form != "" {
			fn.Options.Body = &s.form
		}
		f.source.functions[fn.Ref] = fn
		f.pool.does(id+".js", s.run)
		refs = append(refs, fn.Ref)
	}
	return f, refs
}

func (s streamingStep) run(inv *sandbox.Invocation) (*sandbox.Result, error) {
	var header []sandbox.HeaderField
	if s.typ != "" {
		header = append(header, sandbox.HeaderField{Name: "content-type", Value: s.typ})
	}
	result := &sandbox.Result{Status: s.status, Header: header}
	if text, ok := strings.CutPrefix(s.answer, "bytes:"); ok {
		result.Bytes = []byte(text)
		return result, nil
	}
	pieces, ok := strings.CutPrefix(s.answer, "stream:")
	if !ok {
		result.Body = json.RawMessage(s.answer)
		return result, nil
	}
	to, err := inv.OnHead(sandbox.StreamHead{Status: s.status, Header: header})
	for _, piece := range strings.Split(pieces, "|") {
		if err == nil {
			_, err = io.WriteString(to, piece)
		}
	}
	if err != nil {
		return nil, &sandbox.StreamError{Err: err}
	}
	result.Streamed = true
	return result, nil
}

// got is the request body of a call: JSON, or bytes with their type.
func got(r *sandbox.Request) string {
	if !r.HasRaw {
		return string(r.Body)
	}
	var header map[string]string
	_ = json.Unmarshal(r.Header, &header)
	return fmt.Sprintf("bytes:%s (%s, %s)", r.Raw, header["content-type"], header["content-length"])
}

func TestPiecesKeepTheirTypeFromStepToStep(t *testing.T) {
	const html, jsonType = "text/html", "application/json; charset=utf-8"
	for name, row := range map[string]struct {
		steps  []streamingStep
		bodies string
		answer string // "status body", with what was streamed behind a "+"
	}{
		"JSON": {[]streamingStep{{"", 200, "1", ""}, {"auto", 200, "2", ""}}, `"in", 1`, "200 2"},
		"bytes to bytes": {
			[]streamingStep{{"", 200, "bytes:a", html}, {"raw", 200, "bytes:b", ""}, {"auto", 200, "bytes:c", ""}},
			`"in", bytes:a (text/html, 1), bytes:b (application/octet-stream, 1)`, "200 bytes:c",
		},
		"JSON to bytes": {
			[]streamingStep{{"", 200, `{"a":1}`, ""}, {"raw", 200, "2", ""}}, `"in", bytes:{"a":1} (` + jsonType + `, 7)`, "200 2",
		},
		"undefined to bytes": {[]streamingStep{{"", 200, "", ""}, {"raw", 200, "2", ""}}, `"in", bytes: (` + jsonType + `, 0)`, "200 2"},
		"empty bytes":        {[]streamingStep{{"", 200, "bytes:", html}, {"raw", 200, "2", ""}}, `"in", bytes: (text/html, 0)`, "200 2"},
		"bytes to JSON":      {[]streamingStep{{"", 200, "bytes:a", html}, {"", 200, "2", ""}}, `"in"`, "error 400"},
		"a stream between": {
			[]streamingStep{{"", 200, "stream:a|b|c", html}, {"raw", 200, "2", ""}}, `"in", bytes:abc (text/html, 3)`, "200 2",
		},
		"a stream to JSON": {[]streamingStep{{"", 200, "stream:a", html}, {"", 200, "2", ""}}, `"in"`, "error 400"},
		"a stream at last": {[]streamingStep{{"", 200, "1", ""}, {"", 200, "stream:a|b", html}}, `"in", 1`, "200 +200 ab"},
		"a stream that ends it": {
			[]streamingStep{{"", 404, "stream:no|ne", html}, {"", 200, "2", ""}}, `"in"`, "404 +404 none",
		},
		"304 keeps bytes": {
			[]streamingStep{{"", 200, "bytes:a", html}, {"raw", 304, "null", ""}, {"raw", 200, "2", ""}},
			`"in", bytes:a (text/html, 1), bytes:a (text/html, 1)`, "200 2",
		},
		"304 at last keeps bytes": {
			[]streamingStep{{"", 200, "bytes:a", html}, {"raw", 304, "null", "text/css"}},
			`"in", bytes:a (text/html, 1)`,
			"200 bytes:a text/html",
		},
		"a stream with 304 is none": {[]streamingStep{{"", 200, "1", ""}, {"", 304, "stream:x", ""}}, `"in", 1`, "200 1"},
		"bytes that end it":         {[]streamingStep{{"", 500, "bytes:{}", html}, {"", 200, "2", ""}}, `"in"`, "500 bytes:{}"},
	} {
		t.Run(name, func(t *testing.T) {
			f, refs := newMixedPipeline(row.steps)
			var to bytes.Buffer
			var head sandbox.StreamHead
			result, err := f.Pipeline(t.Context(), refs, Call{
				Request: sandbox.Request{Body: json.RawMessage(`"in"`), Header: json.RawMessage(`{"content-type":"application/json","a":"b"}`)},
				OnHead: func(h sandbox.StreamHead) (io.Writer, error) {
					head = h
					return &to, nil
				},
			})
			answer := ""
			switch {
			case err != nil:
				answer = fmt.Sprintf("error %d", outcome.Of(err).Status)
			case result.Bytes != nil:
				answer = fmt.Sprintf("%d bytes:%s", result.Status, result.Bytes)
			default:
				answer = fmt.Sprintf("%d %s", result.Status, result.Body)
			}
			if err == nil && len(result.Header) > 1 {
				answer += " " + contentTypeOf(result.Header)
			}
			if head.Status != 0 {
				answer += fmt.Sprintf("+%d %s", head.Status, to.String())
			}
			if err == nil && result.Streamed != (head.Status != 0) {
				t.Errorf("streamed: %v", result.Streamed)
			}
			var bodies []string
			for _, inv := range f.pool.seen() {
				bodies = append(bodies, got(&inv.Request))
			}
			if all := strings.Join(bodies, ", "); all != row.bodies || answer != row.answer {
				t.Errorf("steps got %s, want %s\nanswer %s, want %s", all, row.bodies, answer, row.answer)
			}
		})
	}
}

func TestTheBytesOfARequestReachTheFirstStepThatTakesThem(t *testing.T) {
	f, refs := newMixedPipeline([]streamingStep{{"raw", 304, "null", ""}, {"auto", 200, "1", ""}})
	header := json.RawMessage(`{"content-type":"a/b"}`)
	call := Call{Request: sandbox.Request{HasRaw: true, Header: header, HTTP: json.RawMessage(`{"path":"/"}`)}}
	if _, err := f.Pipeline(t.Context(), refs, call); err != nil {
		t.Fatal(err)
	}
	for _, inv := range f.pool.seen() {
		if r := inv.Request; !r.HasRaw || len(r.Raw) != 0 || string(r.Header) != string(header) || r.HTTP == nil {
			t.Errorf("%s got %+v", inv.Filename, r)
		}
	}
}

func TestStepsLearnOfHTTPIfTheyAsk(t *testing.T) {
	f, refs := newMixedPipeline([]streamingStep{{"", 200, "1", ""}, {"auto", 200, "2", ""}})
	if _, err := f.Pipeline(t.Context(), refs, Call{Request: sandbox.Request{HTTP: json.RawMessage(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	if calls := f.pool.seen(); calls[0].Request.HTTP != nil || calls[1].Request.HTTP == nil {
		t.Errorf("got %s and %s", calls[0].Request.HTTP, calls[1].Request.HTTP)
	}
}

// Steps learn who calls as they ask for it, and so does a function alone.
func TestStepsLearnWhoCallsIfTheyAsk(t *testing.T) {
	f, refs := newMixedPipeline([]streamingStep{{"", 200, "1", ""}, {"", 200, "2", ""}, {"", 200, "3", ""}, {"", 200, "4", ""}})
	for i, access := range []string{"", function.AccessKey, function.AccessJWT, function.AccessPublic} {
		if access != "" {
			fn := f.source.functions[refs[i]]
			fn.Options.Access = &access
			f.source.functions[refs[i]] = fn
		}
	}
	call := Call{Request: sandbox.Request{Auth: json.RawMessage(`{"type":"key"}`)}}
	if _, err := f.Pipeline(t.Context(), refs, call); err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		call.Ref = ref
		if _, err := f.Run(t.Context(), call); err != nil {
			t.Fatal(err)
		}
	}
	for i, inv := range f.pool.seen() {
		if want := i%4 == 1 || i%4 == 2; (inv.Request.Auth != nil) != want {
			t.Errorf("call %d got %s", i, inv.Request.Auth)
		}
	}
}

func TestEachStepIsToldTheFormThatItAsksFor(t *testing.T) {
	f, refs := newMixedPipeline([]streamingStep{
		{"auto", 200, "1", ""}, {"raw", 200, "2", ""}, {"", 200, "3", ""}, {"auto", 200, "4", ""},
	})
	const path = `{"path":"/","params":{"body":"1"}`
	told := Call{Request: sandbox.Request{HTTP: json.RawMessage(path + `,"body":"auto"}`)}}
	if _, err := f.Pipeline(t.Context(), refs, told); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{path + `,"body":"auto"}`, path + `}`, ``, path + `,"body":"auto"}`} {
		if got := string(f.pool.seen()[i].Request.HTTP); got != want {
			t.Errorf("step %d was told %s, want %s", i+1, got, want)
		}
	}
}

func TestWhatDescribesABodyIsReplacedWithIt(t *testing.T) {
	header := json.RawMessage(`{"content-encoding":"gzip","a":"1","content-length":"9","transfer-encoding":"chunked","b":["2"]}`)
	const want = `{"a":"1","b":["2"],"content-type":"x/y","content-length":"3"}`
	if text := describing(header, "x/y", 3); string(text) != want {
		t.Errorf("got %s", text)
	}
	if text := describing(nil, "x/y", 0); string(text) != `{"content-type":"x/y","content-length":"0"}` {
		t.Errorf("got %s", text)
	}
}

func TestAStreamBetweenStepsIsBounded(t *testing.T) {
	long := "stream:" + strings.Repeat(strings.Repeat("x", 5000)+"|", 20) // 100,000 bytes
	for name, row := range map[string]struct {
		limit  int64
		memory int
		want   error
	}{
		"as much as may":  {100_000, 1 << 20, nil},
		"too long":        {99_999, 1 << 20, errors.New("too long")},
		"without memory":  {1 << 20, 50_000, ErrNoMemory},
		"memory for once": {1 << 20, 140_000, ErrNoMemory}, // on its way it takes a third more
	} {
		t.Run(name, func(t *testing.T) {
			f, refs := newMixedPipeline([]streamingStep{{"", 200, long, ""}, {"raw", 200, "2", ""}})
			f.stepBytes = row.limit
			memory := &budget{limit: row.memory}
			result, err := f.Pipeline(t.Context(), refs, Call{Memory: memory})
			if (err != nil) != (row.want != nil) || errors.Is(row.want, ErrNoMemory) && !errors.Is(err, ErrNoMemory) {
				t.Errorf("error %v", err)
			}
			if err == nil && string(result.Body) != "2" || memory.used != 0 {
				t.Errorf("answer %+v, %d bytes left", result, memory.used)
			}
			if step, ok := errors.AsType[*StepError](err); name == "too long" && (!ok || outcome.Of(step).Status != 500) {
				t.Errorf("error %v", err)
			}
		})
	}
}
