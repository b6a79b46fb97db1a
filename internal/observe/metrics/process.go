package metrics

import "github.com/prometheus/client_golang/prometheus"

// newProcess registers what the original had of its process in addition to what Prometheus' own collector of processes
// has.
func newProcess(registry *prometheus.Registry) {
	registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "process_cpu_user_seconds_total", Help: "User CPU time of the server, in seconds.",
		}, func() float64 { user, _ := cpuTimes(); return user }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "process_cpu_system_seconds_total", Help: "System CPU time of the server, in seconds.",
		}, func() float64 { _, system := cpuTimes(); return system }),
		prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: "process_heap_bytes", Help: "Size of the server's heap, in bytes."},
			heap,
		),
	)
}
