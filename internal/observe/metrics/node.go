package metrics

import (
	"runtime/metrics"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/sandbox"
)

// Node is what stands behind the metrics that the original had from its Node.js, whose process ran the functions too.
// Each is what comes nearest here, so that dashboards go on; docs/operations.md says of each what it is.
type Node struct {
	// Runtimes are those that there are at the moment, the first one first.
	Runtimes func() []sandbox.Runtime
	// Memory is what all workers use together, in bytes, and what of it are their own pages; false says that it is not
	// known.
	Memory func() (sandbox.MemoryUsage, bool)
	// Pool is the state of the pool, Connections how many there are to callers and to what functions reach.
	Pool        func() sandbox.PoolStats
	Connections func() int
}

// WatchNode adds these metrics, read at each scrape. Call it at most once.
func (m *Metrics) WatchNode(n Node) { m.registry.MustRegister(nodeState(n)) }

var (
	versionDesc = prometheus.NewDesc(
		"nodejs_version_info",
		"Always 1; the labels say which version of Node.js a runtime is.",
		[]string{"version", "major", "minor", "patch"},
		nil,
	)
	runtimeDesc = prometheus.NewDesc(
		"functions_runtime_info",
		"Always 1; the labels say which runtimes functions can ask for, and their versions of Node.js.",
		[]string{"runtime", "version"},
		nil,
	)
	lagDesc = prometheus.NewDesc("nodejs_eventloop_lag_seconds",
		"Time that work of the server which was ready waited for a processor, as measured at this scrape.", nil, nil)
	heapDesc = prometheus.NewDesc(
		"nodejs_heap_size_total_bytes",
		"Memory that all workers use, as their control groups count it.",
		nil,
		nil,
	)
	heapUsedDesc = prometheus.NewDesc(
		"nodejs_heap_size_used_bytes",
		"The part of it that is no cache of files.",
		nil,
		nil,
	)
	handlesDesc = prometheus.NewDesc("nodejs_active_handles",
		"Open connections and worker processes.", []string{"type"}, nil)
	handlesTotalDesc = prometheus.NewDesc("nodejs_active_handles_total", "All of these.", nil, nil)
	requestsDesc     = prometheus.NewDesc(
		"nodejs_active_requests",
		"Calls that run or wait for a worker.",
		[]string{"type"},
		nil,
	)
	requestsTotalDesc = prometheus.NewDesc("nodejs_active_requests_total", "All of these.", nil, nil)
)

// nodeState is a prometheus.Collector.
type nodeState Node

// Describe implements prometheus.Collector.
func (nodeState) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		versionDesc, runtimeDesc,
		lagDesc, heapDesc, heapUsedDesc, handlesDesc, handlesTotalDesc, requestsDesc, requestsTotalDesc,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (n nodeState) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	seen := map[string]bool{}
	for _, rt := range n.Runtimes() {
		if !seen[rt.Version] {
			gauge(versionDesc, 1, versionLabels(rt.Version)...)
		}
		seen[rt.Version] = true
		gauge(runtimeDesc, 1, label(rt.Name), label(rt.Version))
	}
	gauge(lagDesc, lag().Seconds())
	if memory, ok := n.Memory(); ok {
		gauge(heapDesc, float64(memory.Total))
		gauge(heapUsedDesc, float64(memory.Anonymous))
	}
	pool, connections := n.Pool(), n.Connections()
	workers := pool.Starting + pool.Prewarmed + pool.Idle + pool.Busy
	gauge(handlesDesc, float64(connections), "Socket")
	gauge(handlesDesc, float64(workers), "ChildProcess")
	gauge(handlesTotalDesc, float64(connections+workers))
	gauge(requestsDesc, float64(pool.Busy), "run")
	gauge(requestsDesc, float64(pool.Queued), "wait")
	gauge(requestsTotalDesc, float64(pool.Busy+pool.Queued))
}

// versionLabels are those of nodejs_version_info, of a version such as v8.17.0.
func versionLabels(version string) []string {
	labels := append([]string{label(version)}, strings.SplitN(strings.TrimPrefix(label(version), "v"), ".", 3)...)
	return append(labels, "", "", "")[:4]
}

// lag is how long something that is ready waits until it is run.
func lag() time.Duration {
	start, done := time.Now(), make(chan struct{})
	go close(done)
	<-done
	return time.Since(start)
}

// heap is the memory of the server's heap that is in use or free for more, in bytes.
func heap() float64 {
	samples := []metrics.Sample{
		{
			Name: "/memory/classes/heap/objects:bytes",
		}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	var sum uint64
	for _, sample := range samples {
		sum += sample.Value.Uint64()
	}
	return float64(sum)
}
