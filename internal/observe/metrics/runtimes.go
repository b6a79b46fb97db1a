package metrics

import "github.com/prometheus/client_golang/prometheus"

// runtimeChanges counts changes of the runtimes of a running server.
type runtimeChanges struct {
	changes map[string]prometheus.Counter
}

func newRuntimeChanges(registry *prometheus.Registry) *runtimeChanges {
	return &runtimeChanges{children(
		factory{registry}.counters("runtime_changes_total",
			"Runtimes that were added, replaced or removed while the server ran, or failed to start.", "change").WithLabelValues,
		"added", "replaced", "removed", "failed",
	)}
}

// RuntimeChanged counts a change: added, replaced, removed or failed.
func (c *runtimeChanges) RuntimeChanged(change string) { c.changes[change].Inc() }
