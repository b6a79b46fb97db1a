package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/sandbox"
)

// WatchPool adds the pool's state, read from stats at each scrape. Call it at most once.
func (m *Metrics) WatchPool(stats func() sandbox.PoolStats) {
	m.registry.MustRegister(poolState(stats))
}

var (
	workersDesc = prometheus.NewDesc("functions_pool_workers", "Workers that exist, by state.", []string{"state"}, nil)
	sizeDesc    = prometheus.NewDesc("functions_pool_size", "The most workers at any time.", nil, nil)
	activeDesc  = prometheus.NewDesc(
		"functions_pool_active_size",
		"The most workers that may compute at any time.",
		nil,
		nil,
	)
	queueDesc  = prometheus.NewDesc("functions_queue_length", "Calls that wait for a worker.", nil, nil)
	groupsDesc = prometheus.NewDesc(
		"functions_pool_namespaces",
		"Namespaces, or owners of several, that hold workers now.",
		nil,
		nil,
	)
	busiestDesc = prometheus.NewDesc(
		"functions_pool_namespace_workers_max",
		"The most workers that one namespace holds now.",
		nil,
		nil,
	)
	waitsDesc = prometheus.NewDesc(
		"functions_queue_namespace_length_max",
		"The most calls of one namespace that wait now.",
		nil,
		nil,
	)
	boundDesc = prometheus.NewDesc("functions_queue_size", "The most calls that may wait.", nil, nil)
)

// poolState is a prometheus.Collector.
type poolState func() sandbox.PoolStats

// Describe implements prometheus.Collector.
func (poolState) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		workersDesc, sizeDesc, activeDesc, queueDesc, boundDesc, groupsDesc, busiestDesc, waitsDesc,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (s poolState) Collect(metrics chan<- prometheus.Metric) {
	stats := s()
	gauge := func(desc *prometheus.Desc, value int, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	gauge(workersDesc, stats.Starting, "starting")
	gauge(workersDesc, stats.Prewarmed, "prewarmed")
	gauge(workersDesc, stats.Idle, "idle")
	gauge(workersDesc, stats.Busy-stats.Waiting-stats.Unread, "busy")
	gauge(workersDesc, stats.Unread, "unread")
	gauge(workersDesc, stats.Waiting, "waiting")
	gauge(workersDesc, stats.Late, "late")
	gauge(sizeDesc, stats.Size)
	gauge(activeDesc, stats.Active)
	gauge(queueDesc, stats.Queued)
	gauge(boundDesc, stats.QueueSize)
	gauge(groupsDesc, stats.Groups)
	gauge(busiestDesc, stats.MostHeld)
	gauge(waitsDesc, stats.MostQueued)
}
