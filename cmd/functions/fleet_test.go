package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// fleet is some servers that share a Redis, behind a balancer.
type fleet struct {
	*load // through the balancer
	front *httptest.Server

	mu      sync.Mutex // guards the fields below
	servers []*server
	next    int
}

// newFleet starts a server for each of the addresses at which Redis is reached.
func newFleet(t *testing.T, redis ...string) *fleet {
	t.Helper()
	f := &fleet{}
	for _, addr := range redis {
		f.join(t, addr)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(f.turn()) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, `{"error":%q}`, cutOff)
		},
	}
	f.front = httptest.NewServer(proxy)
	t.Cleanup(f.front.Close)
	f.load = newLoad(t, f.front.URL)
	f.cut = cutOff
	return f
}

// cutOff is what the balancer says of a call whose server went away.
const cutOff = "The server went away"

// join adds a server.
func (f *fleet) join(t *testing.T, redis string) *server {
	t.Helper()
	s := startServer(t, "REDIS_ENDPOINT=redis://"+redis, "POOL_SIZE=8", "POOL_PREWARMED=1")
	s.discardLogs()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers = append(f.servers, s)
	return s
}

// turn is the server that gets the next request.
func (f *fleet) turn() *url.URL {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	u, err := url.Parse(f.servers[f.next%len(f.servers)].url)
	if err != nil {
		panic(err) // it is ours
	}
	return u
}

// lose kills a server and takes it from the balancer's list, in this order.
func (f *fleet) lose(t *testing.T, s *server) {
	t.Helper()
	s.kill(t)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers = slices.DeleteFunc(f.servers, func(other *server) bool { return other == s })
}

// answer is what one server answers for a function now.
func (f *fleet) answer(s *server, path string) string {
	return send(f.client, "PUT", s.url+"/functions/"+path+"/run", "{}").body
}

// wantEverywhere waits until every server answers for path what is wanted.
func (f *fleet) wantEverywhere(t *testing.T, path, want string) {
	t.Helper()
	for i, s := range f.servers {
		got := ""
		eventuallyOr(t, func() bool {
			got = f.answer(s, path)
			return got == want
		}, func() string { return fmt.Sprintf("server %d to answer %s for %s, not %s", i, want, path, got) })
	}
}

func (f *fleet) putThrough(t *testing.T, s *server, path, code string) {
	t.Helper()
	if r := send(f.client, "PUT", s.url+"/functions/"+path, deployment(code, "")); r.status != http.StatusOK {
		t.Fatalf("deploy %s: %v", path, r)
	}
}
