package sentry

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Dial connects to an address ("host:port") that a namespace, or a function in it, has named. It refuses what the
// functions of the namespace may not reach: anyone who deploys one would otherwise see the inside of the network with
// the server's eyes.
type Dial func(ctx context.Context, namespace, address string) (net.Conn, error)

// maxTenants bounds how many namespaces keep connections.
const maxTenants = 100

// tenants has an HTTP client for each namespace, so that none uses a connection that only another one may make. It is
// safe for concurrent use.
type tenants struct {
	dial Dial

	mu      sync.Mutex // guards clients
	clients map[string]*http.Client
}

// of returns the client of a namespace.
func (t *tenants) of(namespace string) *http.Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	if client := t.clients[namespace]; client != nil {
		return client
	}
	if t.clients == nil || len(t.clients) >= maxTenants {
		t.forgetLocked()
	}
	transport := newTransport()
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		return t.dial(ctx, namespace, address)
	}
	client := newClient(transport)
	t.clients[namespace] = client
	return client
}

// close closes the connections that nobody uses.
func (t *tenants) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetLocked()
}

func (t *tenants) forgetLocked() {
	for _, client := range t.clients {
		client.CloseIdleConnections()
	}
	t.clients = map[string]*http.Client{}
}
