package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/invoke"
)

// WatchCache adds the state of the functions in memory, read from stats at each scrape. Call it at most once.
func (m *Metrics) WatchCache(stats func() invoke.CacheStats) {
	m.registry.MustRegister(cacheState(stats))
}

var (
	lookupsDesc = prometheus.NewDesc(
		"functions_cache_lookups_total",
		"Calls by where their function was: hit in memory, stale in memory and asked for again, miss.",
		[]string{"result"},
		nil,
	)
	evictionsDesc = prometheus.NewDesc(
		"functions_cache_evictions_total",
		"Functions dropped from memory for lack of room.",
		nil,
		nil,
	)
	cachedDesc = prometheus.NewDesc("functions_cache_functions", "Functions in memory.", nil, nil)
	usedDesc   = prometheus.NewDesc("functions_cache_bytes", "Memory that they take, roughly.", nil, nil)
	limitDesc  = prometheus.NewDesc("functions_cache_limit_bytes", "The most memory that they may take.", nil, nil)
)

// cacheState is a prometheus.Collector.
type cacheState func() invoke.CacheStats

// Describe implements prometheus.Collector.
func (cacheState) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{lookupsDesc, evictionsDesc, cachedDesc, usedDesc, limitDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (s cacheState) Collect(metrics chan<- prometheus.Metric) {
	stats := s()
	add := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
	add(lookupsDesc, prometheus.CounterValue, float64(stats.Hits), "hit")
	add(lookupsDesc, prometheus.CounterValue, float64(stats.Stale), "stale")
	add(lookupsDesc, prometheus.CounterValue, float64(stats.Misses), "miss")
	add(evictionsDesc, prometheus.CounterValue, float64(stats.Evictions))
	add(cachedDesc, prometheus.GaugeValue, float64(stats.Functions))
	add(usedDesc, prometheus.GaugeValue, float64(stats.Bytes))
	add(limitDesc, prometheus.GaugeValue, float64(stats.LimitBytes))
}
