package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// maxNamespaces bounds how many namespaces have series of their own here and in what follows egress; all others are
// counted together under "other".
const maxNamespaces = 1000

// namespaces counts what each namespace takes.
type namespaces struct {
	cpu *prometheus.CounterVec

	mu     sync.RWMutex // guards byName
	byName map[string]prometheus.Counter
}

func newNamespaces(registry *prometheus.Registry) *namespaces {
	return &namespaces{
		cpu: factory{registry}.counters("namespace_cpu_seconds_total",
			"CPU time that the calls of a namespace used in their workers.", "namespace"),
		byName: map[string]prometheus.Counter{},
	}
}

// of is the counter of a namespace.
func (n *namespaces) of(namespace string) prometheus.Counter {
	n.mu.RLock()
	counter, ok := n.byName[namespace]
	n.mu.RUnlock()
	if ok {
		return counter
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.byName) >= maxNamespaces {
		return n.cpu.WithLabelValues(other.Namespace)
	}
	counter = n.cpu.WithLabelValues(label(namespace))
	n.byName[namespace] = counter
	return counter
}
