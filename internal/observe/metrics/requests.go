package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// noRoute is the label route of requests that no route serves.
const noRoute = "none"

// requests counts what the HTTP API answers.
type requests struct {
	duration *prometheus.HistogramVec
	sampled  func(ctx context.Context) string
}

func newRequests(registry *prometheus.Registry, sampled func(ctx context.Context) string) *requests {
	return &requests{factory{registry}.histograms(
		"http_request_seconds",
		"Time from a request's header to the end of its answer.",
		waitBuckets,
		"route",
		"status",
	), sampled}
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
	observe(r.duration.WithLabelValues(route, classes[class(status)]), took, r.sampled(ctx))
}
