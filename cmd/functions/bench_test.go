package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/mux"
)

const hello = `function main(req, res) { const name = (req.body && req.body.name) || 'World'; res.send({ say: 'Hello ' + name + '!' }) }`

// BenchmarkHTTP measures whole requests by one client over keep-alive, beside a handler that answers a constant. Each run also reports
// the median and the 99th percentile. The server runs with all isolation on.
func BenchmarkHTTP(b *testing.B) {
	router := mux.NewRouter()
	router.HandleFunc("/functions/{namespace}/{id}/run", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"say":"Hello World!"}`)
	})
	floor := httptest.NewServer(router)
	defer floor.Close()
	b.Run("constant handler", func(b *testing.B) { measure(b, floor.URL+"/functions/bench/hello/run") })

	for _, row := range []struct{ name, properties string }{
		{"warm worker", ""},
		{"fresh process", `,"maxInvocations":1`},
	} {
		b.Run(row.name, func(b *testing.B) {
			s := startServer(b)
			deploy(b, s.url+"/functions/bench/hello", row.properties)
			measure(b, s.url+"/functions/bench/hello/run")
		})
	}
	b.Run("fresh process without fork server", func(b *testing.B) {
		s := startServer(b, "RUNNER_DIR="+runnerWithoutAddon(b))
		deploy(b, s.url+"/functions/bench/hello", `,"maxInvocations":1`)
		measure(b, s.url+"/functions/bench/hello/run")
	})
	b.Run("first call of a new function", func(b *testing.B) {
		s := startServer(b)
		var took []time.Duration
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			url := fmt.Sprintf("%s/functions/bench/f%d", s.url, i)
			deploy(b, url, "")
			b.StartTimer()
			took = append(took, call(b, url+"/run"))
		}
		report(b, took)
	})
}

// measure calls url until the benchmark ends.
func measure(b *testing.B, url string) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		took = append(took, call(b, url))
	}
	report(b, took)
}

func call(b *testing.B, url string) time.Duration {
	b.Helper()
	began := time.Now()
	response, err := http.Post(url, "application/json", bytes.NewReader([]byte(`{"name":"World"}`))) //nolint:gosec // our own server
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != `{"say":"Hello World!"}` {
		b.Fatalf("got %v, %s", err, text)
	}
	return time.Since(began)
}

func report(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func deploy(b *testing.B, url, properties string) {
	b.Helper()
	body := fmt.Sprintf(`{"code":%q%s}`, hello, properties)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPut, url, bytes.NewReader([]byte(body)))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // only its status is of interest
	if response.StatusCode != http.StatusOK {
		b.Fatalf("PUT %s: %s", url, response.Status)
	}
}
