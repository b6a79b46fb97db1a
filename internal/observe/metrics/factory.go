package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// factory makes and registers the metrics that are not the original's; it puts functions_ before their names.
type factory struct{ registry *prometheus.Registry }

func (f factory) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "functions_" + name, Help: help})
	f.registry.MustRegister(c)
	return c
}

func (f factory) gauge(name, help string, value func() float64) {
	f.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "functions_" + name, Help: help}, value))
}

// build is a gauge that is always 1; what it says is in its labels.
func (f factory) build(version, revision string) {
	f.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "functions_build_info", Help: "Always 1; the labels say what the server was built from.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": runtime.Version()},
	}, func() float64 { return 1 }))
}

func (f factory) counters(name, help string, labels ...string) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "functions_" + name, Help: help}, labels)
	f.registry.MustRegister(vec)
	return vec
}

func (f factory) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "functions_" + name, Help: help, Buckets: buckets})
	f.registry.MustRegister(h)
	return h
}

func (f factory) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	vec := prometheus.NewHistogramVec(
		prometheus.HistogramOpts{Name: "functions_" + name, Help: help, Buckets: buckets},
		labels,
	)
	f.registry.MustRegister(vec)
	return vec
}

// children returns what child, a vector's WithLabelValues, gives for each of the values of its one label. All appear at
// once, at zero.
func children[T ~string, M any](child func(...string) M, values ...T) map[T]M {
	all := map[T]M{}
	for _, value := range values {
		all[value] = child(string(value))
	}
	return all
}
