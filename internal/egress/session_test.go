package egress_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// handshakes is a site that remembers which connections resumed a session.
type handshakes struct {
	*httptest.Server
	mu      sync.Mutex // guards resumed
	resumed []string
}

func newHandshakes(tb testing.TB) *handshakes {
	tb.Helper()
	h := &handshakes{}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.resumed = append(h.resumed, map[bool]string{true: "resumed", false: "full"}[r.TLS.DidResume])
		h.mu.Unlock()
		_, _ = w.Write(make([]byte, 1000))
	}))
	tb.Cleanup(h.Close)
	return h
}

func (h *handshakes) certificate() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}))
}

func (h *handshakes) take() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { h.resumed = nil }()
	return strings.Join(h.resumed, " ")
}

// A connection ends with its call. What a worker keeps for the next call of its function is how to make one with less work.
func TestTLSSessionsOutliveCallsOfOneFunctionOnly(t *testing.T) {
	site := newHandshakes(t)
	onEachNode(t, func(t *testing.T, _ string, use func(*sandbox.Config)) {
		r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.All}}, func(c *sandbox.Config) {
			use(c)
			c.Egress.CA = site.certificate()
		})
		for _, name := range []string{"one", "another"} {
			for range 3 {
				code := fmt.Sprintf(`async function main(req, res) { res.send((await get(req.body)).body.length); } // %s`, name)
				call[int](t, r, code, site.URL)
			}
			if got := site.take(); got != "full resumed resumed" {
				t.Errorf("%s function: %s", name, got)
			}
		}
	})
}
