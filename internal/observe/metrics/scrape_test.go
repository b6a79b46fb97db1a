package metrics

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/connections"
	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/internal/identity/oidc"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/store/hook"
	"github.com/backstage/functions/sandbox"
)

// busy returns Metrics in which each metric has been counted at least once, and the given number of functions has run.
func busy(functions int) *Metrics {
	m := New()
	m.WatchPool(func() sandbox.PoolStats { return sandbox.PoolStats{Size: 1} })
	m.WatchCache(func() invoke.CacheStats { return invoke.CacheStats{Hits: 1} })
	m.WatchDisk(func() (int64, int64) { return 1, 1 })
	m.WatchConnections(Connections{
		Ports:   map[string]func() connections.Stats{"api": func() connections.Stats { return connections.Stats{Open: 1} }},
		Bodies:  func() connections.MemoryStats { return connections.MemoryStats{} },
		Answers: func() connections.MemoryStats { return connections.MemoryStats{} },
		Expires: time.Now,
	})
	m.WatchIssuers(func() []oidc.Stats { return []oidc.Stats{{Issuer: "https://a", Age: time.Second}} })
	m.WatchSockets(func() sockets.Stats { return sockets.Stats{Open: 1} })
	m.WatchLimits(func() limits.Stats { return limits.Stats{Entries: 1} })
	m.WatchNode(Node{
		Runtimes: func() []sandbox.Runtime { return []sandbox.Runtime{{Name: "node8", Version: "v8.17.0"}} }, Memory: func() (sandbox.MemoryUsage, bool) { return sandbox.MemoryUsage{Total: 1}, true },
		Pool: func() sandbox.PoolStats { return sandbox.PoolStats{} }, Connections: func() int { return 1 },
	})
	for i := range functions {
		ref := function.Ref{Namespace: fmt.Sprintf("namespace-%d", i%100), ID: fmt.Sprintf("function-%d", i)}
		m.FunctionRun(context.Background(), ref, invoke.Ending{Status: 200}, time.Millisecond)
		m.FunctionRun(context.Background(), ref, invoke.Ending{Status: 500}, 20*time.Millisecond)
		m.Attempted(ref.Namespace, egress.Connected, time.Millisecond)
		m.Transferred(ref.Namespace, 1, 1)
	}
	m.PipelineRun(200, time.Millisecond)
	m.FunctionSetup(time.Millisecond)
	m.FunctionUpdate(200, time.Millisecond)
	for _, route := range []string{"", "/functions", "/functions/{namespace}/{id}/run"} {
		m.Served(context.Background(), route, 200, time.Millisecond)
	}
	_, end := m.Store(context.Background(), hook.Operation{Name: "get"})
	end(nil)
	return m
}

// samples counts the lines of a scrape that are no comments.
func samples(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

func TestSeriesAreBoundedWhateverRuns(t *testing.T) {
	const fixed = 5000 // all that does not grow with functions, and room to grow
	perFunction := 2*(len(runBuckets)+1+2) + 5
	perNamespace := len(waitBuckets) + 1 + 2 + 2 + 1
	bound := fixed + (MaxFunctions+1)*perFunction + (maxNamespaces+1)*perNamespace
	m := busy(0)
	for i := range 100_000 {
		name := fmt.Sprint(i)
		for _, status := range []int{100, 200, 300, 400, 500} {
			m.FunctionRun(context.Background(), function.Ref{Namespace: name, ID: name}, invoke.Ending{Status: status}, time.Duration(i)*time.Microsecond)
		}
		m.Attempted(name, egress.Connected, time.Millisecond)
		m.Transferred(name, 1, 1)
	}
	text := scrape(t, m)
	if got := samples(text); got > bound {
		t.Errorf("%d series, at most %d are wanted", got, bound)
	}
	expectLines(
		t, text,
		fmt.Sprintf(`backstage_functions_function_run_total{id="other",namespace="other",status="2xx"} %d`, 100_000-MaxFunctions),
		fmt.Sprintf(`functions_egress_connections_total{namespace="other",result="connected"} %d`, 100_000-maxNamespaces),
		`backstage_functions_overview_run_total{status="2xx"} 100000`,
	)
}

func TestScrapeCanBeReadByPrometheus(t *testing.T) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(scrape(t, busy(3))))
	if err != nil {
		t.Fatal(err)
	}
	run := families[durationName]
	if run == nil || len(run.Metric) != 3 {
		t.Fatalf("got %v", run)
	}
	h := run.Metric[0].GetHistogram()
	if h.GetSampleCount() != 2 || h.GetSampleSum() != 0.021 || len(h.Bucket) != len(runBuckets)+1 {
		t.Errorf("got %v", h)
	}
}

// misnamed is what promtool says of the names of the original.
const misnamed = `nodejs_active_handles_total non-counter metrics should not have "_total" suffix
nodejs_active_requests_total non-counter metrics should not have "_total" suffix
`

func TestPromtoolFindsNothingElseToSay(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing: install Debian's package prometheus, or put promtool on the PATH")
	}
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = strings.NewReader(scrape(t, busy(2)))
	said, _ := check.CombinedOutput() // that it has something to say is an error too
	if string(said) != misnamed {
		t.Errorf("promtool: %s", said)
	}
}

func TestRuntimeIsMeasuredAsFarAsAsked(t *testing.T) {
	const extra = "\ngo_sched_latencies_seconds_count "
	some, all := scrape(t, New()), scrape(t, New(WithRuntime()))
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", "go_build_info"} {
		if !strings.Contains(some, "# TYPE "+name+" gauge\n") {
			t.Errorf("no %s", name)
		}
	}
	if strings.Contains(some, extra) || !strings.Contains(all, extra) {
		t.Error("all metrics of the runtime must be there with WithRuntime and only then")
	}
}

// nowhere is a http.ResponseWriter that counts bytes.
type nowhere struct {
	header http.Header
	size   int
}

func (w *nowhere) Header() http.Header { return w.header }
func (w *nowhere) WriteHeader(int)     {}

func (w *nowhere) Write(p []byte) (int, error) {
	w.size += len(p)
	return len(p), nil
}

func BenchmarkScrape(b *testing.B) {
	for _, functions := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d functions", functions), func(b *testing.B) {
			handler := busy(functions).Handler()
			b.ReportAllocs()
			for b.Loop() {
				w := &nowhere{header: http.Header{}}
				handler.ServeHTTP(w, nil)
				b.SetBytes(int64(w.size))
			}
		})
	}
}
