package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/audit"
)

// otherReason counts refusals whose reason has no series of its own.
const otherReason = "other"

// audits counts refusals, and records of them and of writes.
type audits struct {
	records    map[audit.Result]prometheus.Counter
	unrecorded prometheus.Counter
	lost       map[string]prometheus.Counter
	refused    map[string]prometheus.Counter
}

func newAudits(registry *prometheus.Registry) *audits {
	f := factory{registry}
	records := f.counters("audit_records_total", "Records of writes and refusals, by what came of the request.", "result")
	lost := f.counters("audit_records_lost_total", "Records that could not be written to the place.", "where")
	refused := f.counters("requests_refused_total",
		"Requests that the server has refused their callers, by reason.", "reason")
	return &audits{
		records: children(records.WithLabelValues, audit.Results...),
		unrecorded: f.counter("audit_refusals_unrecorded_total",
			"Refusals without a record, since there were too many at a time."),
		lost: children(lost.WithLabelValues, "lines", "store"),
		refused: children(refused.WithLabelValues,
			"unauthorized", "forbidden", "too_many_failures", "key_in_url", "protected", "host", "cross_site",
			"namespace_disabled", otherReason),
	}
}

// AuditRecorded counts a record. It is safe for concurrent use.
func (a *audits) AuditRecorded(result audit.Result) { a.records[result].Inc() }

// RefusalUnrecorded counts a refusal that has no record. It is safe for concurrent use.
func (a *audits) RefusalUnrecorded() { a.unrecorded.Inc() }

// AuditLost counts records that one of the places does not have. It is safe for concurrent use.
func (a *audits) AuditLost(where string, records int) { a.lost[where].Add(float64(records)) }

// RequestRefused counts a refusal. It is safe for concurrent use.
func (a *audits) RequestRefused(reason string) {
	counter, ok := a.refused[reason]
	if !ok {
		counter = a.refused[otherReason]
	}
	counter.Inc()
}
