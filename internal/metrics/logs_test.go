package metrics

import "testing"

func TestDroppedLinesAreCounted(t *testing.T) {
	m := New()
	expectLines(t, scrape(t, m), `functions_log_lines_dropped_total 0`)
	m.LogLinesDropped(3)
	m.LogLinesDropped(4)
	expectLines(t, scrape(t, m), `functions_log_lines_dropped_total 7`)
}
