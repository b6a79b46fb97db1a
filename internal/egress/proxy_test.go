package egress_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// names is a Resolver: each lookup of a name takes the next of its answers, the last one again and again.
type names struct {
	mu      sync.Mutex // guards answers
	answers map[string][]string
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.answers[host]
	if len(list) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(list) > 1 {
		n.answers[host] = list[1:]
	}
	var addrs []netip.Addr
	for text := range strings.SplitSeq(list[0], ",") {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs, nil
}

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
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
			serving.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	return listener.Addr().String()
}

// worker is this process in the part of a worker with a call.
type worker struct {
	t     *testing.T
	proxy *egress.Proxy
}

func newWorker(t *testing.T, options egress.Options) *worker {
	t.Helper()
	if options.Limits == (egress.Limits{}) {
		options.Limits = egress.DefaultLimits()
	}
	proxy, err := egress.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &worker{t, proxy}
	w.begin()
	return w
}

// begin begins a call.
func (w *worker) begin() {
	w.proxy.CallStarted(os.Getpid(), &sandbox.Invocation{ID: "request-1", Group: "ns", Filename: "ns/fn.js"})
}

// open connects to the proxy and sends text.
func (w *worker) open(text string) net.Conn {
	w.t.Helper()
	conn, err := net.Dial("unix", w.proxy.Socket())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		w.t.Logf("write: %v", err) // the proxy may have closed it already
	}
	return conn
}

// ask sends text and returns all that is answered.
func (w *worker) ask(text string) string {
	w.t.Helper()
	answer, err := io.ReadAll(w.open(text))
	if err != nil && len(answer) == 0 {
		return err.Error()
	}
	return strings.TrimSuffix(string(answer), "\n")
}

// connect returns a connection that leads to target.
func (w *worker) connect(target string) *net.UnixConn {
	w.t.Helper()
	conn := w.open("CONNECT " + target + "\n")
	want := "200 " + target[:strings.LastIndexByte(target, ':')] + "\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		w.t.Fatalf("%s: %q, %v", target, got, err)
	}
	return conn.(*net.UnixConn)
}

// split returns the host and the port of an address.
func split(t *testing.T, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// ticket asks for target and returns the ticket.
func (w *worker) ticket(target string) string {
	w.t.Helper()
	answer := strings.Fields(w.ask("RESERVE " + target + "\n"))
	if len(answer) != 3 || answer[0] != "200" {
		w.t.Fatalf("%s: %v", target, answer)
	}
	return answer[2]
}

func allowing(t *testing.T, rules string) egress.Options {
	return egress.Options{Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, rules)}}
}

func TestBytesGoBothWaysAndEndsToo(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, allowing(t, addr))
	for want, conn := range map[string]net.Conn{
		"late":       w.connect(addr),
		"early late": w.open("ATTACH " + w.ticket(addr) + "\nearly "),
	} {
		if _, err := io.WriteString(conn, "late"); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	waitUntil(t, func() bool { return w.proxy.Open() == 0 })
}

func TestTheProtocolIsRefusedInEveryOtherForm(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, allowing(t, addr))
	used := w.ticket(addr)
	conn := w.open("ATTACH " + used + "\nx")
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"GET / HTTP/1.1\n", "connect " + addr + "\n", "CONNECT\n", "CONNECT  " + addr + "\n", "CONNECT " + addr + " HTTP/1.1\n",
		"CONNECT " + addr + "\r\n", "CONNECT " + addr + "\nATTACH x\n", "RESERVE " + addr + "\nATTACH x\n", "RESERVE\n", "reserve " + addr + "\n", "CONNECT " + addr + "\nEgress-Function: other/fn\n\n",
		"CONNECT " + addr + "\x00\n", "CONNECT " + addr + "\t\n", "\n", " \n", "ATTACH\n", "ATTACH x\n", "ATTACH " + used + "\n",
		"ATTACH \xff\n", "CONNECT " + strings.Repeat("a", 5000) + ":80\n",
	} {
		if got := w.ask(text); !strings.HasPrefix(got, "403 EGRESS_DENIED protocol") && !strings.Contains(got, "connection reset") {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestTargetsInDisguiseAreRefused(t *testing.T) {
	addr := echo(t)
	_, port, _ := net.SplitHostPort(addr)
	log := &buffer{}
	w := newWorker(t, egress.Options{
		Policy: egress.Policy{Mode: egress.Public},
		Resolver: &names{answers: map[string][]string{
			"inside.example": {"10.0.0.1"}, "local.example": {"127.0.0.1"}, "mapped.example": {"::ffff:127.0.0.1"}, "nat64.example": {"64:ff9b::127.0.0.1"},
			"sixtofour.example": {"2002:7f00:1::1"}, "zero.example": {"0.0.0.0"}, "metadata.example": {"169.254.169.254"}, "both.example": {"10.0.0.1,::1"},
			"localhost": {"127.0.0.1"}, "xn--bcher-kva.example": {"127.0.0.1"},
		}},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	for host, want := range map[string]string{
		"127.0.0.1": "loopback", "localhost": "loopback", "LOCALHOST.": "loopback", "[::1]": "loopback", "[::ffff:127.0.0.1]": "loopback",
		"[::ffff:7f00:1]": "loopback", "[::127.0.0.1]": "loopback", "[64:ff9b::7f00:1]": "loopback", "[2002:7f00:1::]": "loopback", "0.0.0.0": "unspecified", "[::]": "unspecified",
		"2130706433": "bad_host", "0x7f.0.0.1": "bad_host", "0177.0.0.1": "bad_host", "127.1": "bad_host", "[::1%25lo]": "bad_host", "[fe80::1%lo]": "bad_host",
		"１２７.0.0.1": "loopback", "bücher.example": "loopback", "local.example": "loopback", "mapped.example": "loopback", "nat64.example": "loopback",
		"sixtofour.example": "loopback", "zero.example": "unspecified", "inside.example": "private", "metadata.example": "metadata",
		"169.254.169.254": "metadata", "[fd00:ec2::254]": "metadata", "both.example": "private", "user@127.0.0.1": "bad_host",
	} {
		w.begin() // each in a call of its own: the lines of one are bounded
		got := w.ask("CONNECT " + host + ":" + port + "\n")
		answer := "403 EGRESS_DENIED " + want
		if isName := strings.ContainsAny(strings.ToLower(host), "hl") && want != "bad_host"; isName { // where it leads is not told
			answer = "502 ENOTFOUND - -"
		}
		if !strings.HasPrefix(got, answer) {
			t.Errorf("%s: %s, want %s", host, got, answer)
		}
		if line := log.take(); strings.Count(line, "\n") != 1 || !strings.Contains(line, "function=ns/fn ") || !strings.Contains(line, "reason="+want) {
			t.Errorf("%s is logged as %q", host, line)
		}
	}
}

// attempts is an Observer that counts how attempts have ended.
type attempts struct {
	mu      sync.Mutex // guards results
	results map[string]int
}

func (a *attempts) Attempted(_, result string, _ time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.results == nil {
		a.results = map[string]int{}
	}
	a.results[result]++
}

func (a *attempts) LookedUp(_, result string) { a.Attempted("", "lookup "+result, 0) }

func (a *attempts) Transferred(string, int64, int64) {}

func (a *attempts) take() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.results)
}

// What a name inside leads to, and that there is one, is told to the operator, not to functions.
func TestNamesInsideAreLikeNamesThatAreNone(t *testing.T) {
	seen := &attempts{}
	w := newWorker(t, egress.Options{
		Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, "*.wild.example"), Deny: mustRules(t, "10.9.0.0/16,8.8.8.8")},
		Resolver: &names{answers: map[string][]string{
			"a.example": {"10.0.0.1"}, "b.example": {"127.0.0.1"}, "c.example": {"169.254.169.254"}, "d.example": {"fe80::1"}, "e.example": {"10.9.0.1"},
			"f.example": {"10.0.0.1,::1,192.168.0.1"}, "g.example": {"fe80::1%lo"}, "h.wild.example": {"10.0.0.1"}, "public.example": {"8.8.8.8"},
		}},
		Observer: seen,
	})
	none := w.ask("CONNECT none.example:80\n")
	for _, name := range []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "h.wild.example"} {
		for _, port := range []string{"80", "25"} {
			for _, verb := range []string{"CONNECT ", "RESERVE "} {
				if got := w.ask(verb + name + ":" + port + "\n"); got != none || got != "502 ENOTFOUND - -" {
					t.Errorf("%s:%s: %q, a name that is none %q", name, port, got, none)
				}
			}
		}
	}
	if got := w.ask("CONNECT public.example:80\n"); got != "403 EGRESS_DENIED rule 8.8.8.8" {
		t.Errorf("a public address: %q", got)
	}
	results := seen.take()
	for result, want := range map[string]int{"ENOTFOUND": 1, "private": 12, "loopback": 4, "metadata": 4, "link_local": 8, "rule": 5} {
		if results[result] != want {
			t.Errorf("%d attempts are counted as %s, want %d: %v", results[result], result, want, results)
		}
	}
}

func TestANameThatChangesLeadsOnlyWhereItWasChecked(t *testing.T) {
	addr := echo(t)
	_, port, _ := net.SplitHostPort(addr)
	w := newWorker(t, egress.Options{
		Policy:   egress.Policy{Mode: egress.Public, Allow: mustRules(t, "good.example")},
		Resolver: &names{answers: map[string][]string{"good.example": {"127.0.0.1", "10.0.0.1"}, "evil.example": {"127.0.0.1"}}},
	})
	ticket := w.ticket("good.example:" + port) // a second lookup, in the dialler, would lead elsewhere
	conn := w.open("ATTACH " + ticket + "\nhello\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatal(line, err)
	}
	if got := w.ask("CONNECT evil.example:" + port + "\n"); got != "502 ENOTFOUND - -" {
		t.Error(got)
	}
}

func TestNobodyButAWorkerWithACallGetsAnAnswer(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, allowing(t, addr))
	w.proxy.CallEnded(os.Getpid())
	if got := w.ask("CONNECT " + addr + "\n"); !strings.HasPrefix(got, "403 EGRESS_DENIED no_call") && !strings.Contains(got, "reset") {
		t.Error(got)
	}
}

// A worker that was sent several calls may have begun the next one before we have read the answer to the last.
func TestConnectionsWaitUntilTheirCallIsKnown(t *testing.T) {
	addr := echo(t)
	for known, want := range map[bool]string{true: "200", false: "403 EGRESS_DENIED no_call"} {
		w := newWorker(t, allowing(t, addr))
		w.proxy.CallEnded(os.Getpid())
		settled := make(chan struct{})
		w.proxy.CallsQueued(os.Getpid(), settled)
		answer := make(chan string)
		conn := w.open("CONNECT " + addr + "\n")
		go func() {
			line, _ := bufio.NewReader(conn).ReadString('\n')
			answer <- line
		}()
		select {
		case early := <-answer:
			t.Fatalf("answered %s before the call was known", early)
		case <-time.After(20 * time.Millisecond): // it cannot be seen waiting
		}
		if known {
			w.proxy.CallStarted(os.Getpid(), &sandbox.Invocation{ID: "request-3", Group: "ns", Filename: "ns/fn.js"})
		} else {
			w.proxy.CallEnded(os.Getpid())
		}
		close(settled)
		if got := <-answer; !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestConnectionsDieWithTheirCall(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, allowing(t, addr))
	attached := w.open("ATTACH " + w.ticket(addr) + "\nx")
	if _, err := attached.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	direct := w.connect(addr)
	parked := w.ticket(addr)
	w.proxy.CallEnded(os.Getpid())
	for _, conn := range []net.Conn{attached, direct} {
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes after the end of the call", n)
		}
	}
	w.proxy.CallStarted(os.Getpid(), &sandbox.Invocation{ID: "request-2", Group: "ns", Filename: "ns/fn.js"})
	if got := w.ask("ATTACH " + parked + "\n"); !strings.HasPrefix(got, "403 EGRESS_DENIED protocol") {
		t.Errorf("a ticket outlived its call: %s", got)
	}
	waitUntil(t, func() bool { return w.proxy.Open() == 0 })
}

func TestLimitsHold(t *testing.T) {
	addr := echo(t)
	options := allowing(t, addr)
	options.Limits = egress.DefaultLimits()
	options.Limits.PerCall, options.Limits.Attempts, options.Limits.Bytes = 2, 5, 10
	w := newWorker(t, options)
	first := w.connect(addr)
	w.ticket(addr)
	if _, err := io.WriteString(first, "0123456789"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(first); err == nil && len(got) == 10 {
		t.Errorf("20 bytes of 10 came through: %q", got)
	}
	waitUntil(t, func() bool { return w.proxy.Open() == 1 })
	w.ticket(addr)
	w.ask("CONNECT 10.0.0.1:0\n")
	w.ask("CONNECT 10.0.0.1:80\n")
	if got := w.ask("CONNECT " + addr + "\n"); got != "403 EGRESS_DENIED limit -" {
		t.Errorf("after too many attempts: %s", got)
	}
}

func TestWhatCannotBeReachedIsNamedAsNodeDoes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWorker(t, egress.Options{Policy: egress.Policy{Mode: egress.All}, Resolver: &names{}})
	for target, want := range map[string]string{
		closed: "502 ECONNREFUSED - 127.0.0.1", "nope.example:80": "502 ENOTFOUND - -", "127.0.0.1:0": "502 ECONNREFUSED - -",
	} {
		if got := w.ask("CONNECT " + target + "\n"); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

func TestSlowNamesAndIdleConnectionsEnd(t *testing.T) {
	addr := echo(t)
	options := allowing(t, addr)
	options.Limits = egress.DefaultLimits()
	options.Limits.Connect, options.Limits.Idle = 50*time.Millisecond, 50*time.Millisecond
	options.Resolver = never{}
	w := newWorker(t, options)
	if got := w.ask("CONNECT slow.example:80\n"); got != "502 EAI_AGAIN - -" {
		t.Error(got)
	}
	for _, idle := range []net.Conn{w.open("ATTACH " + w.ticket(addr) + "\n"), w.connect(addr)} {
		if _, err := io.ReadAll(idle); err != nil {
			t.Error(err)
		}
	}
	w.ticket(addr) // and nobody comes for it
	w.open("CONN") // and nothing follows
	waitUntil(t, func() bool { return w.proxy.Open() == 0 })
}

func TestNamespacesHavePoliciesOfTheirOwn(t *testing.T) {
	addr := echo(t)
	host, port := split(t, addr)
	off, all := egress.Policy{Mode: egress.Off}, egress.Policy{Mode: egress.All}
	for _, row := range []struct {
		separator string
		policies  map[string]egress.Policy // beside that of all, which is open
		refused   bool
	}{
		{"", map[string]egress.Policy{"acme-shop": off}, true},
		{"", map[string]egress.Policy{"acme": off}, false}, // another namespace
		{"-", map[string]egress.Policy{"acme": off}, true},
		{"-", map[string]egress.Policy{"acme-": off, "acme-sho": off, "acm": off}, false},
		{"-", map[string]egress.Policy{"acme": off, "acme-shop": all}, false}, // its own takes precedence
		{"-", map[string]egress.Policy{"acme": all, "acme-shop": off}, true},
	} {
		options := egress.Options{Policy: all, Namespaces: row.policies, OwnerSeparator: row.separator, Limits: egress.DefaultLimits()}
		w := newWorker(t, options)
		w.proxy.CallStarted(os.Getpid(), &sandbox.Invocation{ID: "request-2", Group: "acme-shop", Filename: "acme-shop/fn.js"})
		refused := w.ask("RESERVE "+addr+"\n") == "403 EGRESS_DENIED off "+host
		conn, err := egress.NewDialer(options).Dial(t.Context(), "acme-shop", net.JoinHostPort(host, port))
		if err == nil {
			_ = conn.Close()
		}
		if refused != row.refused || (err != nil) != row.refused {
			t.Errorf("%q %v: functions refused %v, the server for them %v", row.separator, row.policies, refused, err)
		}
	}
}

func TestStatsTellWhatIsOpen(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, allowing(t, addr))
	plain := w.connect(addr)
	if _, err := io.WriteString(plain, "GET /"); err != nil {
		t.Fatal(err)
	}
	secure := w.open("ATTACH " + w.ticket(addr) + "\n\x16\x03\x01")
	for _, conn := range []net.Conn{plain, secure} {
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"http":{"sockets":[{"host":"` + addr + `","count":1}],"freeSockets":[]},"https":{"sockets":[{"host":"` + addr + `","count":1}],"freeSockets":[]}}`
	if got := string(w.proxy.HTTPStats()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// never is a Resolver that does not answer.
type never struct{}

func (never) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// buffer collects what is logged.
type buffer struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// take returns what was logged since it was last called.
func (b *buffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	return b.text.String()
}

// waitUntil returns when done says so; the test's own deadline is the bound.
func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it did not come")
		}
	}
}

func TestDeniedAttemptsOfACallFillNoLog(t *testing.T) {
	log := &buffer{}
	limits := egress.DefaultLimits()
	limits.Attempts = 200
	w := newWorker(t, egress.Options{
		Policy: egress.Policy{Mode: egress.Public}, Limits: limits, Logger: slog.New(slog.NewTextHandler(log, nil)), Resolver: &names{},
	})
	for i := range 300 {
		for _, target := range []string{"10.0.0.1:80", strings.Repeat("a", 1000) + ":1", strings.Repeat("ü", 500)} {
			if i%3 == 0 {
				w.ask("CONNECT " + target + "\n")
			}
		}
	}
	w.proxy.CallEnded(os.Getpid())
	text := log.take()
	if lines := strings.Count(text, "\n"); lines != 11 || !strings.Contains(text, "count=") || len(text) > 4000 {
		t.Errorf("%d lines, %d bytes: %.1000s", lines, len(text), text)
	}
}
