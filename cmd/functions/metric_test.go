package main

import (
	"fmt"
	"io"
	"net/http"
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

func (s *server) scrape(t *testing.T) string {
	t.Helper()
	response, err := http.Get(s.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
