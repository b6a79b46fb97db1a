package metrics

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/limits"
)

// WatchLimits adds the state of limits and usage, read at each scrape. Call it at most once.
func (m *Metrics) WatchLimits(stats func() limits.Stats) {
	m.registry.MustRegister(limitState(stats))
}

var (
	limitEntriesDesc = prometheus.NewDesc("functions_limits_entries",
		"Namespaces, functions and keys whose usage is counted in memory.", nil, nil)
	limitAloneDesc = prometheus.NewDesc("functions_limits_alone",
		"Rates of which this server uses its share by itself, since the store does not answer.", nil, nil)
	limitServersDesc = prometheus.NewDesc("functions_limits_servers",
		"Servers that share limits, as far as this one knows.", nil, nil)
	usageUnsentDesc = prometheus.NewDesc("functions_usage_unsent_batches",
		"Batches of usage that wait for the store.", nil, nil)
	usageFailuresDesc = prometheus.NewDesc("functions_usage_failures_total",
		"Tries to send usage to the store that have failed.", nil, nil)
)

// limitState is a prometheus.Collector.
type limitState func() limits.Stats

// Describe implements prometheus.Collector.
func (limitState) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		limitEntriesDesc, limitAloneDesc, limitServersDesc, usageUnsentDesc, usageFailuresDesc,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (stats limitState) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value int) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value))
	}
	s := stats()
	gauge(limitEntriesDesc, s.Entries)
	gauge(limitAloneDesc, s.Alone)
	gauge(limitServersDesc, s.Servers)
	gauge(usageUnsentDesc, s.Unsent)
	metrics <- prometheus.MustNewConstMetric(usageFailuresDesc, prometheus.CounterValue, float64(s.Failures))
}

// reasonOfLimit is the label for a call that a limit has refused; empty for another one.
func reasonOfLimit(err error) string {
	if _, ok := errors.AsType[*limits.RateError](err); ok {
		return refusedRate
	}
	if _, ok := errors.AsType[*limits.QuotaError](err); ok {
		return refusedQuota
	}
	if _, ok := errors.AsType[*limits.DisabledError](err); ok {
		return refusedDisabled
	}
	return ""
}
