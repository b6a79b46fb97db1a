package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// noRoute is the label route of requests that no route serves.
const noRoute = "none"

// requests counts what the HTTP API answers.
type requests struct {
	duration *prometheus.HistogramVec
	sampled  func(ctx context.Context) string

	mu    sync.RWMutex // guards known
	known map[answered]prometheus.Observer
}

// answered is what a series is of: a route, and the index of the class of a status.
type answered struct {
	route string
	class int
}

func newRequests(registry *prometheus.Registry, sampled func(ctx context.Context) string) *requests {
	return &requests{
		duration: factory{registry}.histograms(
			"http_request_seconds",
			"Time from a request's header to the end of its answer.",
			waitBuckets,
			"route",
			"status",
		),
		sampled: sampled, known: map[answered]prometheus.Observer{},
	}
}

// Served counts an answer. The route is that of a router's table, such as "/namespaces/{namespace}", never a path; it
// is empty when there was none. Status 0 is an answer that was cut off before it began.
func (r *requests) Served(ctx context.Context, route string, status int, took time.Duration) {
	if route == "" {
		route = noRoute
	}
	if status == 0 {
		status = 500
	}
	observe(r.of(answered{route, class(status)}), took, r.sampled(ctx))
}

// of is the series of what was answered. There are as many as routes have classes. To look one up by its labels costs
// three times as much, and memory.
func (r *requests) of(a answered) prometheus.Observer {
	r.mu.RLock()
	series, ok := r.known[a]
	r.mu.RUnlock()
	if ok {
		return series
	}
	series = r.duration.WithLabelValues(a.route, classes[a.class])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[a] = series
	return series
}
