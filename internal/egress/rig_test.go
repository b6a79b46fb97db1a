package egress_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// deaths counts how workers end.
type deaths struct {
	sandbox.NopObserver
	mu      sync.Mutex // guards reasons
	reasons map[sandbox.Reason]int
}

func (d *deaths) WorkerDied(reason sandbox.Reason, _ time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reasons == nil {
		d.reasons = map[sandbox.Reason]int{}
	}
	d.reasons[reason]++
}

func (d *deaths) of(reason sandbox.Reason) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reasons[reason]
}

func mustRules(tb testing.TB, text string) []egress.Rule {
	tb.Helper()
	rules, err := egress.ParseRules(text)
	if err != nil {
		tb.Fatal(err)
	}
	return rules
}

// slowly is a Resolver that takes for ever for slow.example.
type slowly struct{ egress.Resolver }

func (s slowly) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if host == "slow.example" {
		return never{}.LookupNetIP(ctx, network, host)
	}
	return s.Resolver.LookupNetIP(ctx, network, host)
}
