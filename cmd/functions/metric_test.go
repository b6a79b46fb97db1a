package main

import (
	"fmt"
	"strings"
	"testing"
)

// awaitMetric returns when a line of the server's metrics is line.
func (s *server) awaitMetric(t *testing.T, line string) {
	t.Helper()
	text := ""
	eventuallyOr(t, func() bool {
		text = s.scrape(t)
		return strings.Contains("\n"+text, "\n"+line+"\n")
	}, func() string { return fmt.Sprintf("the line %q in\n%s", line, text) })
}
