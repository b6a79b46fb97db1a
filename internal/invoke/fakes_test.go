package invoke

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// fakePool answers an invocation with what the function registered for its file returns, and remembers them all.
type fakePool struct {
	mu    sync.Mutex
	calls []*sandbox.Invocation
	run   map[string]func(*sandbox.Invocation) (*sandbox.Result, error)
}

func (p *fakePool) Invoke(_ context.Context, inv *sandbox.Invocation) (*sandbox.Result, error) {
	p.mu.Lock()
	p.calls = append(p.calls, inv)
	run := p.run[inv.Filename]
	p.mu.Unlock()
	if run == nil {
		return &sandbox.Result{Status: 200, Body: json.RawMessage(`"` + inv.Code + `"`)}, nil
	}
	return run(inv)
}

func (p *fakePool) seen() []*sandbox.Invocation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// answers makes every run of the file answer so.
func (p *fakePool) answers(file string, status int, body string, header ...sandbox.HeaderField) {
	p.does(file, func(*sandbox.Invocation) (*sandbox.Result, error) {
		result := &sandbox.Result{Status: status, Header: header}
		if body != "" {
			result.Body = json.RawMessage(body)
		}
		return result, nil
	})
}

func (p *fakePool) fails(file string, err error) {
	p.does(file, func(*sandbox.Invocation) (*sandbox.Result, error) { return nil, err })
}

func (p *fakePool) does(file string, run func(*sandbox.Invocation) (*sandbox.Result, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		p.run = map[string]func(*sandbox.Invocation) (*sandbox.Result, error){}
	}
	p.run[file] = run
}

// fakeSource is a store whose answers can be delayed and made to fail.
type fakeSource struct {
	mu              sync.Mutex
	functions       map[function.Ref]function.Function
	gets, revisions int
	fail            error         // of every answer
	getDelay        time.Duration // until an answer; the record is read before it
	versionDelay    time.Duration
}

func newSource(fns ...function.Function) *fakeSource {
	s := &fakeSource{functions: map[function.Ref]function.Function{}}
	for _, fn := range fns {
		s.functions[fn.Ref] = fn
	}
	return s
}

// put stores code under "namespace/id" with revision.
func (s *fakeSource) put(name, code, revision string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn := stored(name, code)
	fn.VersionID = revision
	s.functions[fn.Ref] = fn
}

func (s *fakeSource) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.functions, ref(name))
}

func (s *fakeSource) set(change func(*fakeSource)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// counts returns how many times Get and Revision were called.
func (s *fakeSource) counts() (gets, revisions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gets, s.revisions
}

func (s *fakeSource) Get(ctx context.Context, ref function.Ref) (*function.Function, error) {
	s.mu.Lock()
	s.gets++
	fn, ok := s.functions[ref]
	delay, fail := s.getDelay, s.fail
	s.mu.Unlock()
	if err := wait(ctx, delay); err != nil {
		return nil, err
	}
	switch {
	case fail != nil:
		return nil, fail
	case !ok:
		return nil, function.ErrNotFound
	}
	return &fn, nil
}

func (s *fakeSource) Revision(ctx context.Context, ref function.Ref) (string, error) {
	s.mu.Lock()
	s.revisions++
	fn, ok := s.functions[ref]
	delay, fail := s.versionDelay, s.fail
	s.mu.Unlock()
	if err := wait(ctx, delay); err != nil {
		return "", err
	}
	switch {
	case fail != nil:
		return "", fail
	case !ok:
		return "", function.ErrNotFound
	case fn.VersionID == "":
		return "hash:" + fn.Hash, nil
	}
	return fn.VersionID, nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recorder remembers what was counted, as "ns/id 200" and "pipeline 200".
type recorder struct {
	mu    sync.Mutex
	lines []string
	took  []time.Duration

	setups []time.Duration
}

func (r *recorder) add(line string, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	r.took = append(r.took, took)
}

func (r *recorder) FunctionRun(_ context.Context, ref function.Ref, o Ending, took time.Duration) {
	r.add(fmt.Sprintf("%s %d", ref, o.Status), took)
}

func (r *recorder) PipelineRun(status int, took time.Duration) {
	r.add(fmt.Sprintf("pipeline %d", status), took)
}

func (r *recorder) StreamBegun() { r.add("stream", 0) }

func (r *recorder) StreamEnded(s Streamed) {
	r.add(fmt.Sprintf("%s after %d bytes", s.End, s.Sent), s.FirstByte)
}

func (r *recorder) FunctionSetup(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setups = append(r.setups, took)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, ", ")
}

// output remembers what was printed, as "ns/id: level: text" and "ns/id: finished 200".
type output struct {
	mu     sync.Mutex
	lines  []string
	header json.RawMessage
}

func (o *output) add(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, line)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}

func (o *output) Start(call Call) RunOutput {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.header = call.Request.Header
	return runOutput{o, call.Ref}
}

func (o *output) Print(ref function.Ref, line sandbox.LogLine) {
	o.add(ref.String() + ": printed " + line.Level + ": " + line.Text)
}

type runOutput struct {
	o   *output
	ref function.Ref
}

func (r runOutput) Line(line sandbox.LogLine) {
	r.o.add(r.ref.String() + ": " + line.Level + ": " + line.Text)
}

func (r runOutput) Finish(status int, took time.Duration) {
	r.o.add(fmt.Sprintf("%s: finished %d after %v", r.ref, status, took))
}

func ref(name string) function.Ref {
	namespace, id, _ := strings.Cut(name, "/")
	return function.Ref{Namespace: namespace, ID: id}
}

func stored(name, code string) function.Function {
	return function.Function{Ref: ref(name), Code: code, Hash: function.HashOf(code), VersionID: "v1 of " + name}
}
