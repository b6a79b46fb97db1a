package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/queue"
)

// calls counts asynchronous calls.
type calls struct {
	placed  map[string]prometheus.Counter
	settled map[string]prometheus.Counter
	keys    map[string]prometheus.Counter
	records map[string]prometheus.Counter
	waited  prometheus.Histogram
	stored  atomic.Pointer[queue.Stats]
	limits  atomic.Pointer[queue.Limits]
}

// queueBuckets are from a call that starts at once to one that waits for a night.
var queueBuckets = []float64{.005, .025, .1, .5, 1, 5, 15, 60, 300, 1800, 7200, 28800}

func newCalls(registry *prometheus.Registry) *calls {
	f := factory{registry}
	placed := f.counters("calls_placed_total", "Asynchronous calls that callers have asked for, by what became of that.",
		"result")
	settled := f.counters("calls_settled_total",
		"Ends of runs of asynchronous calls, by what they made of the call.", "status")
	records := f.counters("calls_kept_total",
		"Records of calls whose callers wait, by what became of them.", "result")
	keys := f.counters("calls_keys_total",
		"Requests with an Idempotency-Key whose callers wait, by what became of them.", "result")
	c := &calls{
		keys:    children(keys.WithLabelValues, "held", "replayed", "running", "reused", "refused", "lost"),
		records: children(records.WithLabelValues, "written", "sampled", "lost"),
		placed:  children(placed.WithLabelValues, "queued", "existing", "refused"),
		settled: children(settled.WithLabelValues,
			string(queue.Succeeded), string(queue.Dead), string(queue.Queued), "next", "back", "lost"),
		waited: f.histogram("calls_wait_seconds", "Time for which asynchronous calls waited that could have been run.",
			queueBuckets),
	}
	c.stored.Store(&queue.Stats{})
	c.limits.Store(&queue.Limits{})
	f.gauge("calls_queued", "Asynchronous calls in the store that wait, of all servers.",
		func() float64 { return float64(c.stored.Load().Queued) })
	f.gauge("calls_running", "Asynchronous calls that run, on all servers.",
		func() float64 { return float64(c.stored.Load().Running) })
	f.gauge("calls_dead", "Asynchronous calls in the store that have failed for good, of all servers.",
		func() float64 { return float64(c.stored.Load().Dead) })
	f.gauge("calls_records", "Asynchronous calls in the store, ended ones included, of all servers.",
		func() float64 { return float64(c.stored.Load().Calls) })
	f.gauge("calls_bytes", "What these take of the store, in bytes.",
		func() float64 { return float64(c.stored.Load().Bytes) })
	f.gauge("calls_records_limit", "Most of them that there may be.",
		func() float64 { return float64(c.limits.Load().AllCalls) })
	f.gauge("calls_bytes_limit", "Most bytes that they may take.",
		func() float64 { return float64(c.limits.Load().AllBytes) })
	f.gauge("calls_oldest_seconds", "How long the asynchronous call has waited that could be run for longest.",
		func() float64 { return c.stored.Load().Overdue.Seconds() })
	return c
}

// CallPlaced counts a call that was asked for. It is safe for concurrent use.
func (c *calls) CallPlaced(how string) { c.placed[how].Inc() }

// CallStarted counts a call that was taken. It is safe for concurrent use.
func (c *calls) CallStarted(waited time.Duration) { c.waited.Observe(max(waited, 0).Seconds()) }

// CallSettled counts the end of a run. It is safe for concurrent use.
func (c *calls) CallSettled(how string) { c.settled[how].Inc() }

// KeyUsed counts a request with an idempotency key whose caller waits. It is safe for concurrent use.
func (c *calls) KeyUsed(how string) { c.keys[how].Inc() }

// CallsLimited tells the limits of what is in the store. It is safe for concurrent use.
func (c *calls) CallsLimited(limits queue.Limits) { c.limits.Store(&limits) }

// CallsStored tells what is in the store. It is safe for concurrent use.
func (c *calls) CallsStored(stats queue.Stats) { c.stored.Store(&stats) }

// CallRecorded counts records of calls whose callers wait: one of records.Results. It is safe for concurrent use.
func (c *calls) CallRecorded(result string, records int) { c.records[result].Add(float64(records)) }
