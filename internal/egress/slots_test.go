package egress_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// scarce are options with as many connections.
func scarce(t *testing.T, addr string, perCall, total int) egress.Options {
	options := allowing(t, addr)
	options.Limits = egress.DefaultLimits()
	options.Limits.PerCall, options.Limits.Total = perCall, total
	return options
}

// waits opens a connection that has to wait for a place, the nth of its call, and is told so.
func (w *worker) waits(addr string, n int) net.Conn {
	w.t.Helper()
	return w.asksAndWaits("CONNECT "+addr+"\n", n)
}

func (w *worker) asksAndWaits(request string, n int) net.Conn {
	w.t.Helper()
	conn := w.open(request)
	const want = "102 waiting\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		w.t.Fatalf("who waits is told %q, %v", got, err)
	}
	waitUntil(w.t, func() bool { return w.proxy.Waiting(os.Getpid()) == n })
	return conn
}

// is200 says whether conn is told that it is connected.
func is200(t *testing.T, conn net.Conn) bool {
	t.Helper()
	answer := make([]byte, 4)
	_, err := io.ReadFull(conn, answer)
	return err == nil && string(answer) == "200 "
}

func TestOneConnectionTooManyWaitsForItsTurn(t *testing.T) {
	addr := echo(t)
	for name, options := range map[string]egress.Options{"of the call": scarce(t, addr, 2, 100), "of all": scarce(t, addr, 20, 2)} {
		t.Run(name, func(t *testing.T) {
			w := newWorker(t, options)
			open := []net.Conn{w.connect(addr)}
			if name == "of the call" {
				open = append(open, w.connect(addr))
			}
			second, third := w.waits(addr, 1), w.waits(addr, 2)
			if err := open[0].Close(); err != nil {
				t.Fatal(err)
			}
			if !is200(t, second) {
				t.Error("who came first has no connection")
			}
			if n := w.proxy.Waiting(os.Getpid()); n != 1 {
				t.Errorf("%d wait, want 1", n)
			}
			if err := second.Close(); err != nil {
				t.Fatal(err)
			}
			if !is200(t, third) {
				t.Error("who came last has no connection")
			}
		})
	}
}

func TestWhoReservesIsToldToWait(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, scarce(t, addr, 1, 100))
	first := w.connect(addr)
	conn := w.asksAndWaits("RESERVE "+addr+"\n", 1)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if parts := strings.Fields(string(answer)); err != nil || len(parts) != 3 || parts[0] != "200" {
		t.Errorf("then it is told %q, %v", answer, err)
	}
}

// No connection that is kept has the place of a lookup.
func TestALookupThatWaitsIsToldNothing(t *testing.T) {
	options := scarce(t, "slow.example", 1, 100)
	options.Resolver = slowly{}
	w := newWorker(t, options)
	conns := []net.Conn{w.open("LOOKUP slow.example\n"), w.open("LOOKUP slow.example\n")}
	waitUntil(t, func() bool { return w.proxy.Waiting(os.Getpid()) == 1 })
	w.proxy.CallEnded(os.Getpid())
	for _, conn := range conns { // either may wait
		if told, _ := io.ReadAll(conn); len(told) > 0 { // a reset tells as little
			t.Errorf("it is told %q", told)
		}
	}
}

func TestWhoWaitsNoMoreHasNoPlace(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, scarce(t, addr, 1, 100))
	first := w.connect(addr)
	gone, early, last := w.waits(addr, 1), w.waits(addr, 2), w.waits(addr, 3)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(early, "x"); err != nil { // nothing may come before the answer
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return w.proxy.Waiting(os.Getpid()) == 1 })
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if !is200(t, last) || w.proxy.Open() != 1 {
		t.Errorf("the one who still waits has no connection, %d are open", w.proxy.Open())
	}
}

func TestWhoWaitsAtTheEndOfTheCallIsCutAndTold(t *testing.T) {
	addr := echo(t)
	log := &buffer{}
	options := scarce(t, addr, 1, 100)
	options.Logger = slog.New(slog.NewTextHandler(log, nil))
	w := newWorker(t, options)
	w.connect(addr)
	first, second := w.waits(addr, 1), w.waits(addr, 2)
	w.proxy.CallEnded(os.Getpid())
	for _, conn := range []net.Conn{first, second} {
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes after the end of the call", n)
		}
	}
	if text := log.take(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "count=2") {
		t.Errorf("logged %q", text)
	}
	w.begin()
	w.connect(addr)
	waitUntil(t, func() bool { return w.proxy.Open() == 1 })
}

func TestOneNamespaceLeavesConnectionsToOthers(t *testing.T) {
	addr := echo(t)
	for _, row := range []struct {
		name, group, owner string
		waits              bool
	}{
		{"the same namespace", "ns", "", true},
		{"another namespace", "other", "", false},
		{"another namespace of the same owner", "other", "ns", true},
		{"the same namespace of another owner", "ns", "other", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorker(t, scarce(t, addr, 32, 8))
			for range 7 {
				w.ticket(addr)
			}
			w.proxy.CallStarted(os.Getpid(), &sandbox.Invocation{ID: "request-2", Group: row.group, Owner: row.owner, Filename: "b.js"})
			if row.waits {
				w.waits(addr, 1)
			} else {
				w.connect(addr)
			}
		})
	}
}

// A namespace whose calls wait by the hundred takes no descriptors from the others.
func TestConnectionsOfWorkersAreShared(t *testing.T) {
	addr := echo(t)
	w := newWorker(t, scarce(t, addr, 1, 8))
	w.connect(addr)
	const most = 35 // 7 of 8 of all for so few connections to the outside
	for range most - 1 {
		w.open("CONNECT " + addr + "\n")
	}
	waitUntil(t, func() bool { return w.proxy.Waiting(os.Getpid()) == most-1 })
	if got := w.ask("CONNECT " + addr + "\n"); got != "403 EGRESS_DENIED limit -" && !strings.Contains(got, "reset") {
		t.Errorf("one more is answered %q", got)
	}
	w.proxy.CallStarted(os.Getpid(), &sandbox.Invocation{ID: "request-2", Group: "other", Filename: "other/fn.js"})
	w.connect(addr)
}

func TestSixtyRequestsAtOnceAreAllAnswered(t *testing.T) {
	plain, secure := newSite(t, false), newSite(t, true)
	onEachNode(t, func(t *testing.T, _ string, use func(*sandbox.Config)) {
		policy := egress.Policy{Mode: egress.Public, Allow: mustRules(t, plain.Listener.Addr().String()+","+secure.Listener.Addr().String())}
		limits := egress.DefaultLimits()
		limits.PerCall = 8
		r := newRig(t, egress.Options{Policy: policy, Limits: limits}, func(c *sandbox.Config) {
			use(c)
			c.Egress.CA = secure.certificate()
		})
		for _, url := range []string{plain.URL, secure.URL} {
			got := call[[]string](t, r, `async function main(req, res) {
				const all = Array.from({ length: 60 }, (_, i) => get(req.body + '/' + i));
				res.send((await Promise.all(all)).map(a => a.body || a.code));
			}`, url)
			for i, body := range got {
				if body != fmt.Sprintf("GET /%d ", i) {
					t.Errorf("%s/%d: %s", url, i, body)
				}
			}
		}
	})
}
