package metrics

import "github.com/prometheus/client_golang/prometheus"

// The streams of lines that can be dropped: what functions print and is kept, and what the server writes to standard
// output and error.
const (
	StreamKept   = "kept"
	StreamServer = "server"
	StreamAccess = "access"
	StreamStdout = "stdout"
	StreamStderr = "stderr"
	StreamAudit  = "audit"
)

// lines counts those that had to be dropped.
type lines struct{ dropped map[string]prometheus.Counter }

func newLines(registry *prometheus.Registry) *lines {
	vec := factory{registry}.counters("log_lines_dropped_total",
		"Lines that were dropped, since the store could not keep them or nobody read them in time.", "stream")
	return &lines{children(vec.WithLabelValues,
		StreamKept, StreamServer, StreamAccess, StreamStdout, StreamStderr, StreamAudit)}
}

// LogLinesDropped counts lines that a function printed and that could not be kept. It is safe for concurrent use.
func (l *lines) LogLinesDropped(lines int) { l.LinesDropped(StreamKept, lines) }

// LinesDropped counts lines of one of the streams. It is safe for concurrent use.
func (l *lines) LinesDropped(stream string, lines int) { l.dropped[stream].Add(float64(lines)) }
