package metrics

import (
	"compress/gzip"
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// ask returns the answer to a scrape with headers.
func ask(m *Metrics, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/metrics", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, r)
	return answer
}

func TestScrapeIsCompressedForWhoTakesThat(t *testing.T) {
	m := busy(100)
	plain := ask(m).Body.Len()
	for accept, want := range map[string]bool{
		"gzip": true, "deflate, gzip;q=0.5": true, "GZIP": true, "": false, "identity": false, "gzip;q=0": false, "gzip; q=0.0": false, "gzipped": false,
	} {
		answer := ask(m, "Accept-Encoding", accept)
		if packed := answer.Header().Get("Content-Encoding") == "gzip"; packed != want || packed && answer.Body.Len() > plain/5 {
			t.Errorf("%q: compressed %t, %d of %d bytes", accept, packed, answer.Body.Len(), plain)
		}
		if !want {
			continue
		}
		text, err := gzip.NewReader(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if all, err := io.ReadAll(text); err != nil || !strings.Contains(string(all), `id="function-99"`) {
			t.Errorf("%q: %v", accept, err)
		}
	}
}

func TestOpenMetricsHasExemplarsOfSampledTraces(t *testing.T) {
	type key struct{}
	m := New(WithTrace(func(ctx context.Context) string {
		id, _ := ctx.Value(key{}).(string)
		return id
	}))
	traced := context.WithValue(t.Context(), key{}, "0af7651916cd43dd8448eb211c80319c")
	m.Served(traced, "/functions", 200, 3*time.Millisecond)
	m.Served(t.Context(), "/functions", 200, 30*time.Millisecond)
	m.FunctionRun(traced, function.Ref{Namespace: "a", ID: "b"}, invoke.Ending{Status: 200}, 3*time.Millisecond)
	answer := ask(m, "Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
	text := answer.Body.String()
	if got := answer.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text; version=1.0.0") || !strings.HasSuffix(text, "\n# EOF\n") {
		t.Errorf("%s: %s", got, text)
	}
	for _, want := range []string{
		`functions_http_request_seconds_bucket{route="/functions",status="2xx",le="0.005"} 1 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 0.003`,
		`backstage_functions_overview_run_duration_seconds_bucket{le="0.005"} 1 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 0.003`,
		`# TYPE backstage_functions_function_run counter`,
		`backstage_functions_function_run_total{id="b",namespace="a",status="2xx"} 1`,
		`backstage_functions_function_run_duration_seconds_bucket{id="b",namespace="a",le="1.0"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Count(text, "trace_id") != 2 {
		t.Errorf("exemplars of what is not sampled:\n%s", text)
	}
	if plain := ask(m).Body.String(); strings.Contains(plain, "trace_id") || strings.Contains(plain, "EOF") {
		t.Errorf("the old format has exemplars:\n%s", plain)
	}
}

func TestFunctionsHaveAsManySeriesAsAskedFor(t *testing.T) {
	for _, row := range []struct {
		detail Detail
		want   string
		count  int
	}{
		{DetailAll, `{id="f",namespace="a",status="2xx"} 1`, 4},
		{DetailNamespace, `{namespace="a",status="2xx"} 2`, 2},
		{DetailOff, "", 0},
	} {
		m := New(WithFunctions(row.detail))
		for _, ref := range []function.Ref{{Namespace: "a", ID: "f"}, {Namespace: "a", ID: "g"}, {Namespace: "b", ID: "f"}, {Namespace: "b", ID: "g"}} {
			m.FunctionRun(t.Context(), ref, invoke.Ending{Status: 200}, time.Millisecond)
		}
		text := scrape(t, m)
		if got := strings.Count(text, "\n"+totalName+"{"); got != row.count || !strings.Contains(text, row.want) {
			t.Errorf("%s: %d series: %s", row.detail, got, text)
		}
		expectLines(t, text, `backstage_functions_overview_run_total{status="2xx"} 4`)
	}
}

func TestCPUTimeIsCountedByNamespace(t *testing.T) {
	m := New()
	for i := range 3 {
		o := invoke.Ending{Status: 200, Stats: sandbox.Stats{CPU: time.Duration(i) * time.Millisecond}}
		m.FunctionRun(t.Context(), function.Ref{Namespace: "a", ID: "b"}, o, time.Second)
	}
	m.FunctionRun(t.Context(), function.Ref{Namespace: "c\xff", ID: "b"}, invoke.Ending{Status: 503}, time.Second)
	expectLines(
		t, scrape(t, m),
		`functions_namespace_cpu_seconds_total{namespace="a"} 0.003`,
		`functions_namespace_cpu_seconds_total{namespace="c`+"\uFFFD"+`"} 0`,
	)
}
