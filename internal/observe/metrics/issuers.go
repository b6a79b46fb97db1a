package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/identity/oidc"
)

// WatchIssuers adds the state of the issuers of tokens, read from stats at each scrape. Call it at most once.
func (m *Metrics) WatchIssuers(stats func() []oidc.Stats) {
	m.registry.MustRegister(issuerState(stats))
}

var (
	tokensDesc = prometheus.NewDesc("functions_oidc_tokens_total",
		"Tokens of issuers that callers have shown: verified, kept from before, refused, or unknown when the keys of the "+
			"issuer are.", []string{"issuer", "result"}, nil)
	issuerFetchesDesc = prometheus.NewDesc("functions_oidc_fetches_total",
		"Fetches of the keys of issuers, by how they ended: done or failed.", []string{"issuer", "result"}, nil)
	issuerKeysDesc = prometheus.NewDesc("functions_oidc_keys", "Keys of issuers that are known.", []string{"issuer"}, nil)
	issuerAgeDesc  = prometheus.NewDesc("functions_oidc_keys_age_seconds",
		"Time since the keys of an issuer were fetched. There is none before the first time.", []string{"issuer"}, nil)
)

// issuerState is a prometheus.Collector.
type issuerState func() []oidc.Stats

// Describe implements prometheus.Collector.
func (issuerState) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{tokensDesc, issuerFetchesDesc, issuerKeysDesc, issuerAgeDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (s issuerState) Collect(metrics chan<- prometheus.Metric) {
	add := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
	for _, i := range s() {
		for result, n := range i.Tokens {
			add(tokensDesc, prometheus.CounterValue, float64(n), i.Issuer, string(result))
		}
		add(issuerFetchesDesc, prometheus.CounterValue, float64(i.Fetches-i.FailedFetches), i.Issuer, "done")
		add(issuerFetchesDesc, prometheus.CounterValue, float64(i.FailedFetches), i.Issuer, "failed")
		add(issuerKeysDesc, prometheus.GaugeValue, float64(i.Keys), i.Issuer)
		if i.Age > 0 {
			add(issuerAgeDesc, prometheus.GaugeValue, i.Age.Seconds(), i.Issuer)
		}
	}
}
