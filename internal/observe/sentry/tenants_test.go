package sentry

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
)

// gate is a Dial that lets one namespace through and notes who asked.
type gate struct {
	open string

	mu    sync.Mutex // guards asked
	asked []string
}

func (g *gate) dial(ctx context.Context, namespace, address string) (net.Conn, error) {
	g.mu.Lock()
	g.asked = append(g.asked, namespace)
	g.mu.Unlock()
	if namespace != g.open {
		return nil, errors.New("not for you")
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// failureIn is a failure of a function in another namespace.
func failureIn(namespace, dsn string) func(r *Reporter) {
	f := failure("", dsn)
	f.Call.Ref.Namespace, f.Function.Ref.Namespace = namespace, namespace
	return func(r *Reporter) { r.Report(f) }
}

func TestWhatANamespaceNamesIsReachedOnlyIfItsFunctionsMay(t *testing.T) {
	fake := newFakeSentry(t)
	gate := &gate{open: "open"}
	r := newReporter(t, Options{Dial: gate.dial})
	dsn := fake.dsn("key", "1")
	failureIn("open", dsn)(r)
	failureIn("shut", dsn)(r) // neither by the other's connection
	r.Close()
	if got := fake.all(); len(got) != 1 || got[0].event["message"] == nil {
		t.Errorf("%d events", len(got))
	}
	if len(gate.asked) != 2 {
		t.Errorf("asked for %v", gate.asked)
	}
}

func TestTheServersOwnSentryNeedsNoLeave(t *testing.T) {
	fake := newFakeSentry(t)
	gate := &gate{}
	r := newReporter(t, Options{DSN: fake.dsn("server", "3"), Dial: gate.dial})
	failureIn("shut", fake.dsn("key", "1"))(r)
	r.Close()
	if got := fake.all(); len(got) != 2 || len(gate.asked) != 0 {
		t.Errorf("%d events, asked for %v", len(got), gate.asked)
	}
}

func TestARefusedNamespaceDoesNotSilenceAnother(t *testing.T) {
	fake := newFakeSentry(t)
	r := newReporter(t, Options{Dial: (&gate{open: "open"}).dial})
	open, shut := failure("", fake.dsn("key", "1")), failure("", fake.dsn("key", "1"))
	open.Function.Ref.Namespace, shut.Function.Ref.Namespace = "open", "shut"
	r.sender.backoffs.set(r.ownProject(shut).key(), shortBackoff)
	r.Report(shut)
	r.Report(open)
	r.Close()
	if got := fake.all(); len(got) != 1 {
		t.Errorf("%d events", len(got))
	}
}

func TestFewClientsAreKept(t *testing.T) {
	tenants := &tenants{}
	first := tenants.of("a")
	if tenants.of("a") != first {
		t.Error("a namespace has two clients")
	}
	for i := range 3 * maxTenants {
		tenants.of(string(rune('\u4e00' + i)))
	}
	if len(tenants.clients) > maxTenants {
		t.Errorf("%d clients", len(tenants.clients))
	}
}
