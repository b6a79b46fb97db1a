package egress_test

import (
	"bufio"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// upstream is an HTTP proxy. Whatever it is asked for leads to the same place.
type upstream struct {
	*httptest.Server
	mu    sync.Mutex // guards asked
	asked []string   // what it was asked for, and with which credentials
}

// newUpstream starts one that leads to addr.
func newUpstream(t *testing.T, secure bool, addr string) *upstream {
	t.Helper()
	u := &upstream{}
	u.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Proxy-Authorization"), "Basic "))
		u.mu.Lock()
		u.asked = append(u.asked, strings.TrimSpace(r.Method+" "+r.Host+" "+string(secret)))
		u.mu.Unlock()
		out, err := net.Dial("tcp", addr)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		in, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n")
		var both sync.WaitGroup
		both.Go(func() {
			_, _ = io.Copy(out, in)
			_ = out.(*net.TCPConn).CloseWrite()
		})
		_, _ = io.Copy(in, out)
		_ = in.Close()
		both.Wait()
		_ = out.Close()
	}))
	if secure {
		u.StartTLS()
	} else {
		u.Start()
	}
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) take() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	defer func() { u.asked = nil }()
	return strings.Join(u.asked, ",")
}

// through are options with the proxy of address.
func through(t *testing.T, address string) egress.Options {
	t.Helper()
	up, err := egress.NewUpstream(address, "")
	if err != nil {
		t.Fatal(err)
	}
	options := allowing(t, "site.example,10.1.2.3,local.example,unknown.example,*.wild.example")
	options.Policy.Deny = mustRules(t, "denied.example")
	options.Upstream = up
	options.Resolver = &names{answers: map[string][]string{
		"site.example": {"10.1.2.3"}, "local.example": {"127.0.0.1"}, "inside.example": {"10.0.0.1"},
		"metadata.example": {"169.254.169.254"}, "public.example": {"8.8.8.8"}, "denied.example": {"8.8.8.8"},
	}}
	return options
}

func TestAProxyIsAskedForWhatWasChecked(t *testing.T) {
	addr := echo(t)
	_, port := split(t, addr)
	proxy := newUpstream(t, false, addr)
	for _, row := range []struct{ target, addresses, names string }{ // what the proxy is asked for when it gets those, or the answer
		{"site.example:80", "CONNECT 10.1.2.3:80", "CONNECT site.example:80"},
		{"SITE.example.:443", "CONNECT 10.1.2.3:443", "CONNECT site.example:443"},
		{"10.1.2.3:81", "CONNECT 10.1.2.3:81", "CONNECT 10.1.2.3:81"},
		{"public.example:443", "CONNECT 8.8.8.8:443", "CONNECT public.example:443"},
		{"unknown.example:443", "CONNECT unknown.example:443", "CONNECT unknown.example:443"}, // a rule names it
		{"other.example:443", "502 ENOTFOUND - -", "CONNECT other.example:443"},
		{"a.wild.example:443", "502 ENOTFOUND - -", "CONNECT a.wild.example:443"},
		{"x.localhost:443", "502 ENOTFOUND - -", "502 ENOTFOUND - -"},
		{"other.example:25", "502 ENOTFOUND - -", "502 ENOTFOUND - -"},
		{"inside.example:80", "502 ENOTFOUND - -", "502 ENOTFOUND - -"},
		{"metadata.example:80", "502 ENOTFOUND - -", "502 ENOTFOUND - -"},
		{"10.0.0.1:80", "403 EGRESS_DENIED private 10.0.0.1", "403 EGRESS_DENIED private 10.0.0.1"},
		{"169.254.169.254:80", "403 EGRESS_DENIED metadata 169.254.169.254", "403 EGRESS_DENIED metadata 169.254.169.254"},
		{"denied.example:80", "403 EGRESS_DENIED rule -", "403 EGRESS_DENIED rule -"},
		{"local.example:" + port, "200 127.0.0.1 ", "200 127.0.0.1 "}, // directly
	} {
		for names, want := range map[bool]string{false: row.addresses, true: row.names} {
			options := through(t, proxy.URL)
			options.Upstream.Names = names
			got := newWorker(t, options).ask("RESERVE " + row.target + "\n")
			asked := proxy.take()
			if strings.HasPrefix(want, "CONNECT ") {
				if asked != want || !strings.HasPrefix(got, "200 ") {
					t.Errorf("%s, names %v: %s, the proxy was asked for %q, want %q", row.target, names, got, asked, want)
				}
			} else if asked != "" || !strings.HasPrefix(got, want) {
				t.Errorf("%s, names %v: %s, want %s, the proxy was asked for %q", row.target, names, got, want, asked)
			}
		}
	}
}

func TestBytesGoThroughAProxyBothWays(t *testing.T) {
	proxy := newUpstream(t, false, echo(t))
	w := newWorker(t, through(t, strings.Replace(proxy.URL, "://", "://user%40x:pa%3ass@", 1)))
	conn := w.connect("10.1.2.3:80")
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	if asked := proxy.take(); asked != "CONNECT 10.1.2.3:80 user@x:pa:ss" {
		t.Errorf("the proxy was asked for %q", asked)
	}
	waitUntil(t, func() bool { return w.proxy.Open() == 0 })
}

// answering is a proxy that says text to whatever it is asked.
func answering(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, text)
			if text != "" {
				_ = conn.Close()
			} else {
				defer conn.Close()
			}
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	return listener.Addr().String()
}

func TestErrorsTellOfTheProxyAndNotItsPassword(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, row := range map[string]struct{ address, want, told string }{
		"refused":     {answering(t, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"), "502 EGRESS_PROXY_REFUSED - 10.1.2.3", "403 Forbidden"},
		"password":    {answering(t, "HTTP/1.1 407 x\r\n\r\n"), "502 EGRESS_PROXY_REFUSED - 10.1.2.3", "407 Proxy Authentication Required"},
		"redirect":    {answering(t, "HTTP/1.1 302 x\r\nLocation: http://10.0.0.1\r\n\r\n"), "502 EGRESS_PROXY_REFUSED - 10.1.2.3", "302"},
		"bad gateway": {answering(t, "HTTP/1.1 502 x\r\n\r\n"), "502 ECONNREFUSED - 10.1.2.3", ""},
		"too slow":    {answering(t, "HTTP/1.1 504 x\r\n\r\n"), "502 ETIMEDOUT - 10.1.2.3", ""},
		"silent":      {answering(t, ""), "502 ETIMEDOUT - 10.1.2.3", ""},
		"no proxy":    {answering(t, "SSH-2.0-x\r\n\r\n"), "502 EGRESS_PROXY_UNREACHABLE - 10.1.2.3", "no answer of HTTP"},
		"hangs up":    {answering(t, ok), "502 EGRESS_PROXY_UNREACHABLE - 10.1.2.3", "EOF"},
		"talks on":    {answering(t, ok+"x: "+strings.Repeat("x", 1<<20)), "502 EGRESS_PROXY_UNREACHABLE - 10.1.2.3", "no answer of HTTP"},
		"away":        {closed.Addr().String(), "502 EGRESS_PROXY_UNREACHABLE - 10.1.2.3", "connection refused"},
		"early":       {answering(t, ok+"\r\n220 ready"), "200 10.1.2.3\n220 ready", ""},
	} {
		t.Run(name, func(t *testing.T) {
			log := &buffer{}
			options := through(t, "http://user:hunter2@"+row.address)
			options.Logger = slog.New(slog.NewTextHandler(log, nil))
			options.Limits = egress.DefaultLimits()
			if name == "silent" {
				options.Limits.Connect = 100 * time.Millisecond
			}
			if got := newWorker(t, options).ask("CONNECT 10.1.2.3:80\n"); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			text := log.take()
			if (row.told == "") != (text == "") || !strings.Contains(text, row.told) || strings.Contains(text, "hunter2") {
				t.Errorf("logged %q, want %q in it", text, row.told)
			}
		})
	}
}

func TestFunctionsGoThroughTheProxy(t *testing.T) {
	plain, secure := newSite(t, false), newSite(t, true)
	onEachNode(t, func(t *testing.T, name string, use func(*sandbox.Config)) {
		sites := []*site{secure}
		if name == "node24" { // without TLS it is the same for all
			sites = append(sites, plain)
		}
		for _, s := range sites {
			proxy := newUpstream(t, true, s.Listener.Addr().String())
			options := through(t, strings.Replace(proxy.URL, "://", "://user:hunter2@", 1))
			options.Upstream.Names, options.Upstream.Roots = true, proxy.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			options.Policy.Allow = mustRules(t, "example.com,site.example")
			r := newRig(t, options, func(c *sandbox.Config) {
				use(c)
				c.Egress.CA = secure.certificate()
			})
			url := strings.Replace(s.URL, "127.0.0.1", "example.com", 1) // which the certificate is for
			got := call[[]string](t, r, `async function main(req, res) {
				const inner = await get('http://10.0.0.1/');
				res.send([(await get(req.body + '/a')).body, inner.code + inner.reason]);
			}`, url)
			if strings.Join(got, ",") != "GET /a ,EGRESS_DENIEDprivate" {
				t.Errorf("got %q", got)
			}
			if asked := proxy.take(); asked != "CONNECT "+strings.SplitN(url, "//", 2)[1]+" user:hunter2" {
				t.Errorf("the proxy was asked for %q", asked)
			}
		}
	})
}
