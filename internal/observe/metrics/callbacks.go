package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/queue"
)

// callbacks counts what is sent about ends of asynchronous calls.
type callbacks struct {
	sent   map[string]prometheus.Counter
	took   prometheus.Histogram
	stored atomic.Pointer[queue.Stats]
}

func newCallbacks(registry *prometheus.Registry) *callbacks {
	f := factory{registry}
	sent := f.counters("callbacks_sent_total", "Attempts to tell the end of an asynchronous call, by what they came to.",
		"status")
	c := &callbacks{
		sent: children(sent.WithLabelValues,
			string(queue.Succeeded), string(queue.Dead), string(queue.Queued), "back", "lost"),
		took: f.histogram("callbacks_seconds", "Time that attempts to tell the end of an asynchronous call took.",
			[]float64{.01, .05, .1, .5, 1, 5, 15, 60}),
	}
	c.stored.Store(&queue.Stats{})
	f.gauge("callbacks_queued", "Callbacks in the store that wait, of all servers.",
		func() float64 { return float64(c.stored.Load().Queued) })
	f.gauge("callbacks_dead", "Callbacks in the store that have failed for good, of all servers.",
		func() float64 { return float64(c.stored.Load().Dead) })
	f.gauge("callbacks_oldest_seconds", "How long the callback has waited that could be sent for longest.",
		func() float64 { return c.stored.Load().Overdue.Seconds() })
	return c
}

// CallbackSent counts an attempt. It is safe for concurrent use.
func (c *callbacks) CallbackSent(how string, took time.Duration) {
	c.sent[how].Inc()
	if how != "back" {
		c.took.Observe(took.Seconds())
	}
}

// CallbacksStored tells what is in the store. It is safe for concurrent use.
func (c *callbacks) CallbacksStored(stats queue.Stats) { c.stored.Store(&stats) }
