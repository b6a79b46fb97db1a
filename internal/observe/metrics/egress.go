package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/egress"
)

// outgoing counts the connections of functions to the outside. It is an egress.Observer.
type outgoing struct {
	attempts *prometheus.CounterVec
	lookups  *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	duration *prometheus.HistogramVec

	mu    sync.Mutex // guards names
	names map[string]string
}

var _ egress.Observer = (*outgoing)(nil)

func newOutgoing(registry *prometheus.Registry) *outgoing {
	o := &outgoing{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "functions_egress_connections_total",
			Help: "Connections that functions asked for, by result: " +
				"connected, why the policy denied it, or an error code.",
		}, []string{"namespace", "result"}),
		lookups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "functions_egress_lookups_total",
			Help: "Names that functions looked up by themselves, by result: " +
				"found, why the policy denied it, or an error code.",
		}, []string{"namespace", "result"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "functions_egress_bytes_total", Help: "Bytes that functions sent and received.",
		}, []string{"namespace", "direction"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "functions_egress_connect_seconds",
			Help: "Time that names and connections took.", Buckets: waitBuckets,
		}, []string{"namespace"}),
		names: map[string]string{},
	}
	registry.MustRegister(o.attempts, o.lookups, o.bytes, o.duration)
	return o
}

// Attempted implements egress.Observer.
func (o *outgoing) Attempted(namespace, result string, took time.Duration) {
	namespace = o.name(namespace)
	o.attempts.WithLabelValues(namespace, result).Inc()
	if result == egress.Connected {
		o.duration.WithLabelValues(namespace).Observe(took.Seconds())
	}
}

// LookedUp implements egress.Observer.
func (o *outgoing) LookedUp(namespace, result string) {
	o.lookups.WithLabelValues(o.name(namespace), result).Inc()
}

// Transferred implements egress.Observer.
func (o *outgoing) Transferred(namespace string, sent, received int64) {
	namespace = o.name(namespace)
	o.bytes.WithLabelValues(namespace, "sent").Add(float64(sent))
	o.bytes.WithLabelValues(namespace, "received").Add(float64(received))
}

// name is the label value of a namespace.
func (o *outgoing) name(namespace string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	name, ok := o.names[namespace]
	if !ok {
		if len(o.names) >= maxNamespaces {
			return other.Namespace
		}
		name = label(namespace)
		o.names[namespace] = name
	}
	return name
}
