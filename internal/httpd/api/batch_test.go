package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

const batchOf = "/functions/ns/id/batch"

// batchLine is a line of the answer to a batch.
type batchLine struct {
	Index    *int              `json:"index"`
	Status   int               `json:"status"`
	Body     json.RawMessage   `json:"body"`
	Type     string            `json:"type"`
	Base64   []byte            `json:"base64"`
	Header   map[string]string `json:"header"`
	Error    string            `json:"error"`
	Reason   string            `json:"reason"`
	Retry    int               `json:"retryAfter"`
	ID       string            `json:"id"`
	Location string            `json:"location"`
}

// linesOf are the lines by their indexes, those without one by -1.
func linesOf(t *testing.T, body string) map[int]batchLine {
	t.Helper()
	all := map[int]batchLine{}
	for text := range strings.Lines(body) {
		var line batchLine
		if err := json.Unmarshal([]byte(text), &line); err != nil || !strings.HasSuffix(text, "\n") {
			t.Fatalf("the line %q: %v", text, err)
		}
		index := -1
		if line.Index != nil {
			index = *line.Index
		}
		if _, twice := all[index]; twice {
			t.Errorf("there are two lines of input %d", index)
		}
		all[index] = line
	}
	return all
}

// batching is a server with a function that run runs.
func batching(t *testing.T, o Options, run func(call invoke.Call) (*sandbox.Result, error)) string {
	t.Helper()
	o.Invoker = &fakeInvoker{run: run, find: func(ref function.Ref) (invoke.Found, error) {
		if ref.ID == "missing" {
			return invoke.Found{}, &function.NotFoundError{Ref: ref}
		}
		return invoke.Found{Function: &function.Function{Ref: ref}}, nil
	}}
	return serve(t, o)
}

func sameBack(call invoke.Call) (*sandbox.Result, error) {
	return &sandbox.Result{Status: http.StatusOK, Body: call.Request.Body}, nil
}

func TestABatchAnswersEachInput(t *testing.T) {
	url := batching(t, Options{}, func(call invoke.Call) (*sandbox.Result, error) {
		switch string(call.Request.Body) {
		case `"throw"`:
			return nil, &sandbox.FunctionError{Message: "no", Status: 422, HasStatus: true}
		case `"busy"`:
			return nil, &sandbox.BusyError{Cause: sandbox.BusyQueueFull, RetryAfter: 7 * time.Second}
		case `"image"`:
			header := []sandbox.HeaderField{{Name: "content-type", Value: "image/png"}, {Name: "X-A", Value: "b"}}
			return &sandbox.Result{Status: 201, Header: header, Bytes: []byte("\x89\n")}, nil
		case `"text"`:
			header := []sandbox.HeaderField{{Name: "Content-Type", Value: "text/plain"}}
			return &sandbox.Result{Status: 200, Header: header, Bytes: []byte("a\nb")}, nil
		case `"stream"`:
			to, err := call.OnHead(sandbox.StreamHead{
				Status: 203, Header: []sandbox.HeaderField{{Name: "Content-Type", Value: "application/json"}},
			})
			if err == nil {
				_, err = to.Write([]byte("{\"a\":\n[1]}"))
			}
			return &sandbox.Result{Status: 203, Streamed: true}, err
		case `"nothing"`:
			return &sandbox.Result{Status: 204}, nil
		case `"broken"`:
			return &sandbox.Result{Status: 7}, nil
		}
		return sameBack(call)
	})
	inputs := []string{
		`{"a": 1}`, `"throw"`, `"busy"`, `"image"`, `"text"`, `"stream"`, `"nothing"`, `"broken"`, `null`, `[1,{}]`, `"é"`,
	}
	for contentType, body := range map[string]string{
		"application/x-ndjson":                strings.Join(inputs, "\n"),
		"application/jsonl; charset=UTF-8":    "\r\n" + strings.Join(inputs, " \r\n\n\t") + "\n\n",
		"application/json":                    "[" + strings.Join(inputs, ",") + "]",
		"application/json; charset=\"utf-8\"": " [\n" + strings.Join(inputs, " ,\n") + "\n] \n",
	} {
		res, text := do(t, newRequest(t, "POST", url+batchOf+"?q=1", body, "Content-Type", contentType))
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != contentTypeLines {
			t.Fatalf("%s: answered %d %v %s", contentType, res.StatusCode, res.Header, text)
		}
		lines := linesOf(t, text)
		for i, want := range []batchLine{
			{Status: 200, Body: []byte(`{"a": 1}`)},
			{Status: 422, Error: "no"},
			{Status: 503, Reason: "queue_full", Retry: 7},
			{Status: 201, Type: "image/png", Base64: []byte("\x89\n"), Header: map[string]string{"X-A": "b"}},
			{Status: 200, Type: "text/plain", Body: []byte(`"a\nb"`)},
			{Status: 203, Body: []byte(`{"a":[1]}`)},
			{Status: 204},
			{Status: 500, Error: "Invalid status code: 7"},
			{Status: 200, Body: []byte(`null`)},
			{Status: 200, Body: []byte(`[1,{}]`)},
			{Status: 200, Body: []byte(`"é"`)},
		} {
			got := lines[i]
			if got.Status != want.Status || !bytes.Equal(got.Body, want.Body) || got.Type != want.Type ||
				!bytes.Equal(got.Base64, want.Base64) || got.Header["X-A"] != want.Header["X-A"] ||
				want.Error != "" && got.Error != want.Error || got.Reason != want.Reason || got.Retry != want.Retry {
				t.Errorf("%s: input %d is answered %+v, want %+v", contentType, i, got, want)
			}
		}
		if len(lines) != len(inputs) {
			t.Errorf("%s: %d lines", contentType, len(lines))
		}
	}
}

func TestAnInputIsARequestOfItsOwn(t *testing.T) {
	var mu sync.Mutex // guards calls
	var calls []invoke.Call
	url := batching(t, Options{}, func(call invoke.Call) (*sandbox.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, call)
		return sameBack(call)
	})
	res, _ := do(t, newRequest(t, "POST", url+batchOf+"?q=1", "{\"n\":1}\n{\"n\":22}", "Content-Type", "application/x-ndjson",
		"X-A", "b"))
	ids := map[string]bool{}
	for _, call := range calls {
		var header map[string]string
		if err := json.Unmarshal(call.Request.Header, &header); err != nil {
			t.Fatal(err)
		}
		if call.Request.Method != "POST" || string(call.Request.Query) != `{"q":"1"}` || header["x-a"] != "b" ||
			header["content-type"] != contentTypeJSON || header["content-length"] != fmt.Sprint(len(call.Request.Body)) {
			t.Errorf("the request is %s %s %s", call.Request.Method, call.Request.Query, call.Request.Header)
		}
		ids[strings.TrimPrefix(call.ID, res.Header.Get("X-Request-Id"))] = true
	}
	if !ids["-0"] || !ids["-1"] || len(ids) != 2 {
		t.Errorf("the calls are %v", ids)
	}
}

func TestABatchThatCannotBeReadIsRefused(t *testing.T) {
	url := batching(t, Options{BodyLimit: 20, BodyDepth: 3, BatchInputs: 3}, sameBack)
	long := `"` + strings.Repeat("x", 20) + `"`
	for _, row := range []struct {
		name, contentType, body string
		status                  int
		lines                   map[int]int // statuses by index, where the answer is 200
	}{
		{"no type", "", "1", 415, nil},
		{"text", "text/plain", "1", 415, nil},
		{"charset", "application/json; charset=latin1", "[]", 415, nil},
		{"first line is no JSON", "application/x-ndjson", "{\n1", 400, nil},
		{"first line is too long", "application/x-ndjson", long, 413, nil},
		{"first line is too deep", "application/x-ndjson", "[[[[1]]]]", 400, nil},
		{"no UTF-8", "application/x-ndjson", "\"\xff\"", 400, nil},
		{"no array", "application/json", `{"a":1}`, 400, nil},
		{"no end", "application/json", `[`, 400, nil},
		{"element is too long", "application/json", `[` + long + `]`, 413, nil},
		{"endless element", "application/json", `["` + strings.Repeat("x", 200), 413, nil},
		{"nothing", "application/x-ndjson", "", 200, map[int]int{}},
		{"empty array", "application/json", "[]", 200, map[int]int{}},
		{"a line is no JSON", "application/x-ndjson", "1\n{\n3", 200, map[int]int{0: 200, 1: 400, 2: 200}},
		{"a line is too long", "application/x-ndjson", "1\n" + long + "\n3", 200, map[int]int{0: 200, 1: 413, 2: 200}},
		{"an element is no JSON", "application/json", "[1,}]", 200, map[int]int{0: 200, 1: 400}},
		{"an element is too long", "application/json", "[1," + long + ",3]", 200, map[int]int{0: 200, 1: 413, 2: 200}},
		{"something follows", "application/json", "[1] 2", 200, map[int]int{0: 200, 1: 400}},
		{"too many lines", "application/x-ndjson", "1\n2\n3\n4\n5", 200, map[int]int{0: 200, 1: 200, 2: 200, 3: 413}},
		{"too many elements", "application/json", "[1,2,3,4,5]", 200, map[int]int{0: 200, 1: 200, 2: 200, 3: 413}},
	} {
		header := []string{"Content-Type", row.contentType}
		if row.contentType == "" {
			header = nil
		}
		res, text := do(t, newRequest(t, "POST", url+batchOf, row.body, header...))
		if res.StatusCode != row.status || row.status != 200 && !strings.HasPrefix(text, `{"error":"`) {
			t.Errorf("%s: answered %d %s, want %d", row.name, res.StatusCode, text, row.status)
			continue
		}
		if row.status != 200 {
			continue
		}
		lines := linesOf(t, text)
		for i, status := range row.lines {
			if lines[i].Status != status {
				t.Errorf("%s: input %d: %+v, want %d", row.name, i, lines[i], status)
			}
		}
		if len(lines) != len(row.lines) {
			t.Errorf("%s: %s", row.name, text)
		}
	}
	res, _ := do(t, newRequest(t, "POST", url+batchOf, "1", "Content-Type", "application/x-ndjson", "Content-Encoding", "gzip"))
	if res.StatusCode != 415 {
		t.Errorf("compressed: answered %d", res.StatusCode)
	}
	res, _ = do(t, newRequest(t, "POST", url+"/functions/ns/missing/batch", "1", "Content-Type", "application/x-ndjson"))
	if res.StatusCode != 404 {
		t.Errorf("without a function: answered %d", res.StatusCode)
	}
}

// openBatch sends a batch whose inputs are written one by one.
func openBatch(t *testing.T, url string, header ...string) (inputs *io.PipeWriter, answers *bufio.Reader, leave func()) {
	t.Helper()
	from, to := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", url, from)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableCompression: true}
	reader, write := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		res, err := transport.RoundTrip(r)
		if err == nil {
			_, err = io.Copy(write, res.Body)
			_ = res.Body.Close()
		}
		_ = write.CloseWithError(err) // nil is io.EOF
	}()
	t.Cleanup(func() {
		cancel()
		_, _ = to.Close(), reader.Close() // neither fails
		<-done
		transport.CloseIdleConnections()
	})
	return to, bufio.NewReader(reader), cancel
}

func write(t *testing.T, to io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Fatal(err)
	}
}

func lineFrom(t *testing.T, from *bufio.Reader) (line batchLine) {
	t.Helper()
	text, err := from.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(text, &line)
	}
	if err != nil {
		t.Fatalf("the line %q: %v", text, err)
	}
	return line
}

func TestInputsAreAnsweredAsTheyCome(t *testing.T) {
	inputs, answers, _ := openBatch(t, batching(t, Options{}, sameBack)+batchOf)
	for i := range 5 {
		write(t, inputs, fmt.Sprintf("{\"n\":%d}\n", i))
		if line := lineFrom(t, answers); *line.Index != i || string(line.Body) != fmt.Sprintf(`{"n":%d}`, i) {
			t.Errorf("input %d is answered %+v", i, line)
		}
	}
	if err := inputs.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := answers.ReadByte(); err != io.EOF {
		t.Errorf("the answer goes on: %v", err)
	}
}

// gauge counts calls at a time.
type gauge struct{ now, most, all atomic.Int64 }

func (g *gauge) enter() (running int64) {
	g.all.Add(1)
	running = g.now.Add(1)
	for most := g.most.Load(); running > most && !g.most.CompareAndSwap(most, running); {
		most = g.most.Load()
	}
	return running
}

func (g *gauge) leave() { g.now.Add(-1) }

func numbered(n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintln(&all, i)
	}
	return all.String()
}

func TestABatchUsesTheRoomThatIsSpare(t *testing.T) {
	for most, spare := range map[int64]func(int) bool{
		1: func(int) bool { return false },
		3: func(running int) bool { return running < 3 },
	} {
		var calls gauge
		full := make(chan struct{})
		url := batching(t, Options{Spare: spare}, func(call invoke.Call) (*sandbox.Result, error) {
			if calls.enter() == most && calls.all.Load() == most {
				close(full)
			}
			defer calls.leave()
			<-full // which shows that so many run at a time
			return sameBack(call)
		})
		_, text := do(t, newRequest(t, "POST", url+batchOf, numbered(50), "Content-Type", "application/x-ndjson"))
		if lines := linesOf(t, text); len(lines) != 50 || calls.most.Load() != most {
			t.Errorf("%d lines, %d calls at a time, want %d", len(lines), calls.most.Load(), most)
		}
	}
}

// An input that is refused since others of its batch run is run when they have ended, one that others refuse is not.
func TestABatchKeepsToLimitsOfConcurrency(t *testing.T) {
	limit := &invoke.LimitError{Scope: invoke.ScopeFunction, Name: "ns/id", Limit: 2}
	for foreign, want := range map[int64]int{0: 200, 2: 429} {
		var calls gauge
		url := batching(t, Options{Spare: func(running int) bool { return running < 8 }},
			func(call invoke.Call) (*sandbox.Result, error) {
				defer calls.leave()
				if calls.enter()+foreign > 2 {
					return nil, limit
				}
				return sameBack(call)
			})
		_, text := do(t, newRequest(t, "POST", url+batchOf, numbered(100), "Content-Type", "application/x-ndjson"))
		lines := linesOf(t, text)
		for i := range 100 {
			if lines[i].Status != want {
				t.Errorf("with %d calls of others input %d is answered %+v", foreign, i, lines[i])
			}
		}
	}
}

// A caller who does not read has no more inputs run than there are answers that wait for them.
func TestASlowReaderHoldsItsBatchBack(t *testing.T) {
	const size, inputs, ahead = 1 << 20, 64, 40 // what fits into the buffers of two sockets, and more
	var calls gauge
	big := []byte(`"` + strings.Repeat("x", size) + `"`)
	url := batching(t, Options{}, func(invoke.Call) (*sandbox.Result, error) {
		calls.enter()
		return &sandbox.Result{Status: 200, Body: big}, nil
	})
	to, answers, _ := openBatch(t, url+batchOf)
	go func() {
		_, _ = io.WriteString(to, numbered(inputs)) // the reader checks
		_ = to.Close()
	}()
	for i := range int64(inputs) {
		lineFrom(t, answers)
		if n := calls.all.Load(); n > i+ahead {
			t.Fatalf("%d inputs have run after %d lines", n, i+1)
		}
	}
}

func TestABatchEndsWithItsCaller(t *testing.T) {
	ended := make(chan struct{}, 1)
	var calls gauge
	url := batching(t, Options{Served: func(_ context.Context, route string, _ int, _ time.Duration) {
		if strings.Contains(route, "batch") {
			ended <- struct{}{}
		}
	}}, func(call invoke.Call) (*sandbox.Result, error) {
		calls.enter()
		return sameBack(call)
	})
	inputs, answers, leave := openBatch(t, url+batchOf)
	write(t, inputs, "1\n")
	lineFrom(t, answers)
	leave()
	<-ended
	if n := calls.all.Load(); n != 1 {
		t.Errorf("%d inputs have run", n)
	}
}

func TestABatchEndsWithItsKeyAndTheServer(t *testing.T) {
	life, stop := context.WithCancel(t.Context())
	v := answering(&sandbox.Result{Status: 200, Body: []byte("1")}, nil)
	g := guard(t, Options{Auth: AuthOn, Invoker: v, Life: life})
	token := g.key(identity.Invoke, "ns")
	for reason, end := range map[int]func(){
		401: func() { g.ring.Set(nil) },
		503: stop,
	} {
		g.ring.Set(g.keys)
		inputs, answers, _ := openBatch(t, g.url+batchOf, "Authorization", "Bearer "+token)
		write(t, inputs, "1\n")
		lineFrom(t, answers)
		end()
		if line := lineFrom(t, answers); line.Index != nil || line.Status != reason || line.Error == "" {
			t.Errorf("the last line is %+v", line)
		}
		if _, err := answers.ReadByte(); err != io.EOF {
			t.Errorf("the answer goes on: %v", err)
		}
		if reason == 503 {
			break // the server takes nothing any more
		}
	}
}

func TestABatchIsQueued(t *testing.T) {
	v := stepwise(t)
	url := serve(t, Options{Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour}})
	ask := func(body string, header ...string) (*http.Response, map[int]batchLine) {
		res, text := do(t, newRequest(t, "POST", url+"/functions/a/one/batch", body,
			append(header, "Content-Type", "application/x-ndjson", "Prefer", "respond-async")...))
		return res, linesOf(t, text)
	}
	res, first := ask("1\n{\n3", "Idempotency-Key", "k")
	if res.StatusCode != 202 || res.Header.Get("Preference-Applied") != "respond-async" || len(first) != 3 {
		t.Fatalf("answered %d %v %+v", res.StatusCode, res.Header, first)
	}
	for i, want := range map[int]string{0: `{"one":1}`, 2: `{"one":3}`} {
		record(t, url+first[i].Location)
		if _, body := do(t, newRequest(t, "GET", url+first[i].Location+"/result", "")); body != want || first[i].Status != 202 {
			t.Errorf("input %d: %+v, result %s", i, first[i], body)
		}
	}
	if first[1].Status != 400 || first[1].ID != "" {
		t.Errorf("what is no JSON is answered %+v", first[1])
	}
	if _, again := ask("1\n{\n3", "Idempotency-Key", "k"); again[0].ID != first[0].ID || again[2].ID != first[2].ID {
		t.Errorf("repeated it is answered %+v, first %+v", again, first)
	}
	if _, other := ask("2", "Idempotency-Key", "k"); other[0].Status != 422 {
		t.Errorf("another batch with the key is answered %+v", other)
	}
	if res, _ := do(t, newRequest(t, "POST", url+"/functions/a/one/batch", "1", "Content-Type", "application/x-ndjson",
		"Prefer", "respond-async", "Idempotency-Key", "")); res.StatusCode != 400 {
		t.Errorf("with a key that is none it is answered %d", res.StatusCode)
	}
	full, refused := 0, 0 // the queue has room for three, of which two are kept by their key
	_, lines := ask(numbered(20), "Idempotency-Key", "full")
	for _, line := range lines {
		switch line.Status {
		case 202:
			full++
		case 429:
			refused++
		}
	}
	if full != 1 || refused != 19 {
		t.Errorf("%d are accepted, %d refused: %+v", full, refused, lines)
	}
}
