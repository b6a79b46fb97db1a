package metrics

import "testing"

func TestDroppedLinesAreCountedByStream(t *testing.T) {
	m := New()
	expectLines(t, scrape(t, m), `functions_log_lines_dropped_total{stream="kept"} 0`, `functions_log_lines_dropped_total{stream="access"} 0`)
	m.LogLinesDropped(3)
	m.LogLinesDropped(4)
	m.LinesDropped(StreamServer, 1)
	expectLines(t, scrape(t, m), `functions_log_lines_dropped_total{stream="kept"} 7`, `functions_log_lines_dropped_total{stream="server"} 1`)
}
