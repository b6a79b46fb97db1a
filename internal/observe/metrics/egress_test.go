package metrics

import (
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
)

func TestEgressIsCountedByNamespace(t *testing.T) {
	m := New()
	m.Attempted("a", egress.Connected, 3*time.Millisecond)
	m.Attempted("a", string(egress.ReasonPrivate), time.Millisecond)
	m.Attempted("b", "ECONNREFUSED", time.Millisecond)
	m.LookedUp("a", "found")
	m.Transferred("a", 10, 20)
	expectLines(
		t, scrape(t, m),
		`functions_egress_connections_total{namespace="a",result="connected"} 1`,
		`functions_egress_connections_total{namespace="a",result="private"} 1`,
		`functions_egress_connections_total{namespace="b",result="ECONNREFUSED"} 1`,
		`functions_egress_lookups_total{namespace="a",result="found"} 1`,
		`functions_egress_connect_seconds_count{namespace="a"} 1`,
		`functions_egress_bytes_total{direction="received",namespace="a"} 20`,
		`functions_egress_bytes_total{direction="sent",namespace="a"} 10`,
	)
}
