package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/invoke"
)

// streams count answers that functions stream.
type streams struct {
	open      atomic.Int64
	bytes     prometheus.Counter
	firstByte prometheus.Histogram
	ended     map[invoke.StreamEnd]prometheus.Counter
}

func newStreams(registry *prometheus.Registry) *streams {
	f, s := factory{registry}, &streams{}
	f.gauge("streams_open", "Answers that functions are streaming.", func() float64 { return float64(s.open.Load()) })
	s.bytes = f.counter("stream_bytes_total", "Bytes of streamed answers that have ended.")
	s.firstByte = f.histogram("stream_first_byte_seconds",
		"Time in the worker until the first bytes of a streamed answer were there.", waitBuckets)
	s.ended = children(
		f.counters("streams_ended_total", "Streamed answers that have ended, by how.", "end").WithLabelValues,
		invoke.StreamFinished, invoke.StreamCaller, invoke.StreamIdle, invoke.StreamTotal, invoke.StreamDied,
		invoke.StreamFailed, invoke.StreamUnread, invoke.StreamRoom,
	)
	return s
}

// StreamBegun counts a stream that begins.
func (s *streams) StreamBegun() { s.open.Add(1) }

// StreamEnded counts one that has ended.
func (s *streams) StreamEnded(streamed invoke.Streamed) {
	s.open.Add(-1)
	s.bytes.Add(float64(streamed.Sent))
	if streamed.FirstByte > 0 {
		s.firstByte.Observe(streamed.FirstByte.Seconds())
	}
	s.ended[streamed.End].Inc()
}
