package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// classes are the values of the label status.
var classes = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// class is the index in classes of an HTTP status; what is no status counts with the nearest.
func class(status int) int {
	return min(max(status/100, 1), len(classes)) - 1
}

// byStatus counts by status class. Each class appears when it is first counted, and from then on counting it looks
// nothing up.
type byStatus struct {
	vec      *prometheus.CounterVec
	labels   []string // those before the status
	children [len(classes)]atomic.Pointer[prometheus.Counter]
}

func (b *byStatus) inc(status int) {
	i := class(status)
	child := b.children[i].Load()
	if child == nil {
		child = new(b.vec.WithLabelValues(append(b.labels[:len(b.labels):len(b.labels)], classes[i])...))
		b.children[i].Store(child)
	}
	(*child).Inc()
}
