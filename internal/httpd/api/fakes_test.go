package api

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// fakeStore keeps everything in maps. While err is set every method fails with it.
type fakeStore struct {
	mu         sync.Mutex // guards the fields below
	err        error
	functions  map[function.Ref]*function.Function
	namespaces map[string]*function.Namespace
	*mem.Store // its routes
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		functions: map[function.Ref]*function.Function{}, namespaces: map[string]*function.Namespace{}, Store: mem.New(),
	}
}

func (s *fakeStore) Name() string { return "fake" }

func (s *fakeStore) Ping(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *fakeStore) Get(_ context.Context, ref function.Ref) (*function.Function, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	f, ok := s.functions[ref]
	if !ok {
		return nil, function.ErrNotFound
	}
	found := f.Clone()
	found.Settings = s.namespaces[ref.Namespace].Clone()
	return found, nil
}

func (s *fakeStore) Source(_ context.Context, ref function.Ref) (*function.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.functions[ref]
	switch {
	case s.err != nil:
		return nil, s.err
	case !ok || f.Source == nil:
		return nil, function.ErrNotFound
	}
	return f.Source.Clone(), nil
}

func (s *fakeStore) Put(_ context.Context, f *function.Function) (*function.Function, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	next := f.Revise(s.functions[f.Ref], function.NewStamp())
	stored := next.Clone()
	next.Source = f.Source.Clone()
	s.functions[f.Ref] = next
	return stored, nil
}

func (s *fakeStore) Delete(_ context.Context, ref function.Ref) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.functions, ref)
	return s.err
}

func (s *fakeStore) SetEnv(_ context.Context, ref function.Ref, name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.functions[ref]
	switch {
	case s.err != nil:
		return s.err
	case !ok:
		return function.ErrNotFound
	case f.Env == nil:
		f.Env = function.NewEnv()
	}
	f.Env.Set(name, value)
	return nil
}

func (s *fakeStore) UnsetEnv(_ context.Context, ref function.Ref, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.functions[ref]
	switch {
	case s.err != nil:
		return s.err
	case !ok:
		return function.ErrNotFound
	case f.Env == nil || !f.Env.Unset(name):
		return function.ErrEnvNotFound
	}
	return nil
}

func (s *fakeStore) List(_ context.Context, q function.Query) (*function.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	start, end, err := q.Bounds()
	if err != nil {
		return nil, err
	}
	var all []function.Ref
	for ref := range s.functions {
		if (q.Namespace == "" || q.Namespace == ref.Namespace) && (q.ID == "" || q.ID == ref.ID) {
			all = append(all, ref)
		}
	}
	slices.SortFunc(all, function.Ref.Compare)
	return &function.Page{Items: all[min(start, len(all)):min(end, len(all))], Total: len(all)}, nil
}

func (s *fakeStore) GetNamespace(_ context.Context, name string) (*function.Namespace, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	n, ok := s.namespaces[name]
	if !ok {
		return nil, function.ErrNamespaceNotFound
	}
	return n.Clone(), nil
}

func (s *fakeStore) PutNamespace(_ context.Context, n *function.Namespace) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.namespaces[n.Name] = n.Clone()
	return s.err
}

func (s *fakeStore) DeleteNamespace(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.namespaces, name)
	return s.err
}

// fakeInvoker answers with what its fields say; a nil field finds no function, or finds nothing wrong with the code.
type fakeInvoker struct {
	check    func(ref function.Ref, code string) error
	find     func(ref function.Ref) (invoke.Found, error)
	run      func(call invoke.Call) (*sandbox.Result, error)
	pipeline func(steps []function.Ref, call invoke.Call) (*sandbox.Result, error)
}

func (v *fakeInvoker) Check(_ context.Context, f *function.Function) error {
	if v.check == nil {
		return nil
	}
	return v.check(f.Ref, f.Program())
}

func (v *fakeInvoker) Find(_ context.Context, ref function.Ref) (invoke.Found, error) {
	if v.find == nil {
		return invoke.Found{}, nil
	}
	return v.find(ref)
}

func (v *fakeInvoker) Run(_ context.Context, call invoke.Call) (*sandbox.Result, error) {
	if v.run == nil {
		return nil, &function.NotFoundError{Ref: call.Ref}
	}
	return v.run(call)
}

func (v *fakeInvoker) Pipeline(_ context.Context, steps []function.Ref, call invoke.Call) (*sandbox.Result, error) {
	if v.pipeline == nil {
		return nil, &function.NotFoundError{Ref: steps[0]}
	}
	return v.pipeline(steps, call)
}

// Step runs the function of the step by run; what answers 200 goes on.
func (v *fakeInvoker) Step(ctx context.Context, c invoke.StepCall) (invoke.Stepped, error) {
	call := c.Call
	call.Ref = c.Steps[c.Number-1]
	result, err := v.Run(ctx, call)
	if err != nil {
		return invoke.Stepped{}, err
	}
	did := invoke.Stepped{
		Result: result, Ended: result.Status != http.StatusOK || c.Number == len(c.Steps), Request: c.Request,
		Status: result.Status,
	}
	did.Request.Body = result.Body
	return did, nil
}

// answering is an invoker whose functions and pipelines all answer the same.
func answering(result *sandbox.Result, err error) *fakeInvoker {
	return &fakeInvoker{
		run:      func(invoke.Call) (*sandbox.Result, error) { return result, err },
		pipeline: func([]function.Ref, invoke.Call) (*sandbox.Result, error) { return result, err },
	}
}

// serve starts a server on the loopback interface and returns its URL. What o leaves out is a fake.
func serve(t *testing.T, o Options) string {
	t.Helper()
	if o.Store == nil {
		o.Store = newFakeStore()
	}
	if o.Invoker == nil {
		o.Invoker = &fakeInvoker{}
	}
	server := httptest.NewUnstartedServer(New(o).API)
	server.Listener = jsonListener{server.Listener}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// jsonListener has the refusals of net/http changed, as package connections does.
type jsonListener struct{ net.Listener }

func (l jsonListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return jsonConn{conn.(*net.TCPConn)}, nil //nolint:forcetypeassert // httptest listens on TCP
}

type jsonConn struct{ *net.TCPConn }

func (c jsonConn) Write(p []byte) (int, error) {
	if answer, ok := JSONError(p); ok {
		_, err := c.TCPConn.Write(answer)
		return len(p), err
	}
	return c.TCPConn.Write(p)
}

// newRequest builds a request; header holds names and values alternately.
func newRequest(t *testing.T, method, url, body string, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, stringReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

// do sends a request and returns the answer with its whole body.
func do(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return res, readAll(t, res.Body)
}

// expect checks the status and the body of an answer.
func expect(t *testing.T, res *http.Response, body string, status int, want string) {
	t.Helper()
	if res.StatusCode != status || body != want {
		t.Errorf("answered %d %s, want %d %s", res.StatusCode, body, status, want)
	}
}
