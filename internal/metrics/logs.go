package metrics

import "github.com/prometheus/client_golang/prometheus"

// functionLogs counts what becomes of the output of functions.
type functionLogs struct{ dropped prometheus.Counter }

func newFunctionLogs(registry *prometheus.Registry) *functionLogs {
	l := &functionLogs{dropped: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "functions_log_lines_dropped_total", Help: "Lines of functions that could not be kept.",
	})}
	registry.MustRegister(l.dropped)
	return l
}

// LogLinesDropped counts lines that a function printed and that could not be kept. It is safe for concurrent use.
func (l *functionLogs) LogLinesDropped(lines int) { l.dropped.Add(float64(lines)) }
