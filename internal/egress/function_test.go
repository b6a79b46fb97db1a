package egress_test

import (
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// site is a server as functions call them, and the connections that were made to it.
type site struct {
	*httptest.Server
	mu    sync.Mutex // guards conns
	conns map[string]bool
	gone  chan struct{} // receives when a request was given up by its caller
}

func newSite(t *testing.T, secure bool) *site {
	s := &site{conns: map[string]bool{}, gone: make(chan struct{}, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.conns[r.RemoteAddr] = true
		s.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+r.Header.Get("traceparent")+string(body))
	})
	mux.Handle("/there", http.RedirectHandler("/here", http.StatusFound))
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, strings.Repeat("x", 100_000))
		_ = zip.Close()
	})
	mux.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		s.gone <- struct{}{}
	})
	mux.HandleFunc("/cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s.Server = httptest.NewUnstartedServer(mux)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *site) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func (s *site) certificate() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

// tiers are the isolations under which functions must find the same network.
var tiers = []sandbox.Isolation{sandbox.IsolationStrict, sandbox.IsolationProcess, sandbox.IsolationNone}

func TestFunctionsCallOtherServices(t *testing.T) {
	plain, secure := newSite(t, false), newSite(t, true)
	for _, tier := range tiers {
		t.Run(string(tier), func(t *testing.T) {
			r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, plain.Listener.Addr().String()+","+secure.Listener.Addr().String())}},
				func(c *sandbox.Config) { c.Isolation, c.Egress.CA = tier, secure.certificate() })
			for _, url := range []string{plain.URL, secure.URL} {
				for code, want := range map[string]string{
					`res.send((await get(url + '/a')).body)`:                                                                                                    "GET /a ",
					`res.send((await get({ url: url + '/a', method: 'POST', body: 'b' })).body)`:                                                                "POST /a b",
					`res.send((await get(url + '/there')).body)`:                                                                                                "GET /here ",
					`res.send(String((await get({ url: url + '/gzip', gzip: true })).body.length))`:                                                             "100000",
					`res.send(await (await fetch(url + '/there')).text())`:                                                                                      "GET /here ",
					`res.send(String((await (await fetch(url + '/gzip')).text()).length))`:                                                                      "100000",
					`res.send(await (await fetch(url, { method: 'PUT', body: 'b' })).text())`:                                                                   "PUT / b",
					`res.send(await new Promise(done => request(url + '/gzip').pipe(request({ url, method: 'PUT' }, (e, r, b) => done(b.slice(0, 6))))))`:       "PUT / ",
					`res.send((await Promise.all([1, 2, 3].map(() => get(url)))).map(r => r.status).join())`:                                                    "200,200,200",
					`res.send((await get({ url: url + '/a', agentOptions: { keepAlive: true }, forever: true })).body)`:                                         "GET /a ",
					`res.send((await get({ url: url + '/never', timeout: 400 })).code)`:                                                                         "ESOCKETTIMEDOUT",
					`res.send((await get(url + '/cut')).code)`:                                                                                                  "ECONNRESET",
					`res.send(await new Promise(done => request(url + '/a').on('socket', s => s.on('connect', () => done(s.remoteAddress + s.remoteFamily)))))`: "127.0.0.1IPv4",
					`const seen = []; await new Promise(done => request(url + '/a').on('complete', done).on('socket', s => {
					s.setNoDelay(true).setKeepAlive(true).ref().unref().ref();
					['connect', 'lookup'].forEach(name => s.once(name, () => seen.push(name)));
				})); res.send(seen.join())`: "connect",
				} {
					if got := call[string](t, r, "async function main(req, res) { const url = req.body; "+code+" }", url); got != want {
						t.Errorf("%s: %s\ngot %q, want %q", url, code, got, want)
					}
				}
			}
		})
	}
}

// failure is what a function sees of an error.
type failure struct {
	Code, Message, Syscall, Address, Hostname, Reason string
	Port                                              int
}

func TestErrorsLookLikeThoseOfNode(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	untrusted := newSite(t, true)
	r := newRig(t, egress.Options{
		Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, "127.0.0.1")}, Resolver: &names{},
	}, nil)
	const code = `async function main(req, res) { res.send(tell(await get(req.body))) }`
	for url, want := range map[string]failure{
		"http://127.0.0.1:" + strconv.Itoa(closed): {
			Code: "ECONNREFUSED", Message: "connect ECONNREFUSED 127.0.0.1:" + strconv.Itoa(closed), Syscall: "connect", Address: "127.0.0.1", Port: closed,
		},
		"http://nope.example": {
			Code: "ENOTFOUND", Message: "getaddrinfo ENOTFOUND nope.example nope.example:80", Syscall: "getaddrinfo", Hostname: "nope.example", Port: 80,
		},
		"https://10.0.0.1": {
			Code: "EGRESS_DENIED", Message: "connect EGRESS_DENIED 10.0.0.1:443 (private)", Syscall: "connect", Address: "10.0.0.1", Port: 443, Reason: "private",
		},
		untrusted.URL: {Code: "DEPTH_ZERO_SELF_SIGNED_CERT", Message: "self signed certificate"},
	} {
		got := call[failure](t, r, code, url)
		if url == untrusted.URL {
			want.Code, want.Message = got.Code, got.Message
			if !strings.Contains(got.Code, "CERT") && !strings.Contains(got.Message, "certificate") {
				t.Errorf("a certificate of nobody's gives %+v", got)
			}
		}
		if got.Code == "ENOTFOUND" && got.Port == 0 { // as Node.js 13 and later say it
			want.Message, want.Port = "getaddrinfo ENOTFOUND nope.example", 0
		}
		if got != want {
			t.Errorf("%s:\n%+v, want\n%+v", url, got, want)
		}
	}
}

func TestKeepAliveLastsAsLongAsTheCall(t *testing.T) {
	const twice = `async function main(req, res) { await get(req.body); await get(req.body); res.send(1) }`
	for keepAlive, want := range map[bool]int{false: 4, true: 2} {
		t.Run(strconv.FormatBool(keepAlive), func(t *testing.T) {
			site := newSite(t, false)
			r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.All}}, func(c *sandbox.Config) { c.Egress.KeepAlive = keepAlive })
			call[int](t, r, twice, site.URL)
			call[int](t, r, twice, site.URL)
			if got := site.connections(); got != want {
				t.Errorf("%d connections for two calls of two requests, want %d", got, want)
			}
			if n := r.seen.of(sandbox.ReasonRetired); n != 0 {
				t.Errorf("%d workers were not used again though nothing was left open", n)
			}
		})
	}
}

func TestAConnectionEndsWithItsCallAndItsWorker(t *testing.T) {
	site := newSite(t, false)
	r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.All}}, func(c *sandbox.Config) { c.AsyncTimeout = 5 * time.Second })
	answering := func(cut bool) {
		inv := invocation(t, `function main(req, res) { request(req.body + '/never').on('response', () => res.send(1)) }`, site.URL)
		inv.CutAfterAnswer = cut
		if _, err := r.pool.Invoke(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
		<-site.gone
	}
	answering(true)
	waitUntil(t, func() bool { return r.seen.of(sandbox.ReasonRetired) == 1 })
	answering(false)
	waitUntil(t, func() bool { return r.seen.of(sandbox.ReasonAfterAnswer) == 1 })
	_, err := r.pool.Invoke(t.Context(), invocation(t, `function main(req, res) { request(req.body + '/never') }`, site.URL))
	if death, ok := err.(*sandbox.DeathError); !ok || death.Reason != sandbox.ReasonDeadline { //nolint:errorlint // as Invoke promises
		t.Fatal(err)
	}
	<-site.gone
	waitUntil(t, func() bool { return r.proxy.Open() == 0 })
}

func TestRequestsCarryTheHeadersOfTheirCall(t *testing.T) {
	site := newSite(t, false)
	r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.All}}, nil)
	const code = `async function main(req, res) { res.send([(await get(req.body)).body, (await get({ url: req.body, headers: { traceparent: 'own' } })).body].join()) }`
	for outgoing, want := range map[string]string{`{"traceparent":"00-a-b-01"}`: "GET / 00-a-b-01,GET / own", "": "GET / ,GET / own"} {
		inv := invocation(t, code, site.URL)
		inv.Outgoing = json.RawMessage(outgoing)
		result, err := r.pool.Invoke(t.Context(), inv)
		if err != nil || string(result.Body) != `"`+want+`"` {
			t.Errorf("%s: got %v, %v", outgoing, result, err)
		}
	}
}

func TestAttacksDoReachTheProxyAndTheHandles(t *testing.T) {
	good := front(t)
	r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, good.Listener.Addr().String())}}, nil)
	got := call[[]string](t, r, natives+`async function main(req, res) {
		const n = await natives(req.body);
		const tcp = new n.TCP(0);
		res.send([await talk(n, '/egress/socket', 'CONNECT 10.0.0.1:80\n'), String(tcp.connect(n.wrap(), '127.0.0.1', 80) < 0)]);
	}`, good.URL)
	if len(got) != 2 || got[0] != "403 EGRESS_DENIED private 10.0.0.1\n" || got[1] != "true" {
		t.Errorf("got %q", got)
	}
}

// Callers of a short function share a worker, which may have begun to serve the next one before the server has read the answer to the last.
func TestCallsThatWereSentTogetherGetOutEachForItself(t *testing.T) {
	s := newSite(t, false)
	r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, s.Listener.Addr().String())}}, nil)
	const code = `function main(req, res) {
		const { url, n } = req.body;
		if (n % 100 !== 99) return res.send('' + n);
		request(url + '/' + n, (error, response, body) => res.send(error ? error.message : body));
	}`
	numbers := make(chan int)
	var callers sync.WaitGroup
	for range 32 {
		callers.Go(func() {
			for n := range numbers {
				want := strconv.Itoa(n)
				if n%100 == 99 {
					want = "GET /" + want + " "
				}
				if got := call[string](t, r, code, map[string]any{"url": s.URL, "n": n}); got != want {
					t.Errorf("call %d got %q", n, got)
				}
			}
		})
	}
	for n := range 6000 {
		numbers <- n
	}
	close(numbers)
	callers.Wait()
}
