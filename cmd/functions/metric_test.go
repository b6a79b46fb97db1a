package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// awaitMetric returns when a line of the server's metrics is line.
func (s *server) awaitMetric(t *testing.T, line string) {
	t.Helper()
	text := ""
	for range 2000 {
		if text = s.scrape(t); strings.Contains("\n"+text, "\n"+line+"\n") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("no line %q in\n%s", line, text)
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
