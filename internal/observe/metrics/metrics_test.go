package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

var (
	_ sandbox.Observer = (*Metrics)(nil)
	_ invoke.Recorder  = (*Metrics)(nil)
)

// scrape returns what the handler answers.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != 200 || !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8") {
		t.Fatalf("answer %d %q", answer.Code, answer.Header().Get("Content-Type"))
	}
	return answer.Body.String()
}

// expectLines fails for each of lines that is not a whole line of text.
func expectLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestRunsAreCountedUnderTheOriginalsNames(t *testing.T) {
	m := New()
	m.FunctionRun(context.Background(), function.Ref{Namespace: "a", ID: "b"}, invoke.Ending{Status: 200}, 3*time.Millisecond)
	m.FunctionRun(context.Background(), function.Ref{Namespace: "a", ID: "b"}, invoke.Ending{Status: 404}, 300*time.Microsecond)
	m.FunctionRun(context.Background(), function.Ref{Namespace: "a", ID: "c"}, invoke.Ending{Status: 201}, 30*time.Second)
	m.PipelineRun(503, 40*time.Millisecond)
	expectLines(
		t, scrape(t, m),
		`# HELP backstage_functions_function_run_duration_seconds How many time spent to run a function in seconds`,
		`# TYPE backstage_functions_function_run_duration_seconds histogram`,
		`backstage_functions_function_run_duration_seconds_bucket{id="b",namespace="a",le="0.00025"} 0`,
		`backstage_functions_function_run_duration_seconds_bucket{id="b",namespace="a",le="0.0005"} 1`,
		`backstage_functions_function_run_duration_seconds_bucket{id="b",namespace="a",le="0.005"} 2`,
		`backstage_functions_function_run_duration_seconds_bucket{id="c",namespace="a",le="20"} 0`,
		`backstage_functions_function_run_duration_seconds_bucket{id="c",namespace="a",le="+Inf"} 1`,
		`backstage_functions_function_run_duration_seconds_count{id="b",namespace="a"} 2`,
		`# HELP backstage_functions_overview_run_duration_seconds How many time spent to run all functions in seconds`,
		`backstage_functions_overview_run_duration_seconds_count 3`,
		`# HELP backstage_functions_pipeline_run_duration_seconds How many time spent to run a function pipeline in seconds`,
		`backstage_functions_pipeline_run_duration_seconds_sum 0.04`,
		`# HELP backstage_functions_function_run_total What is the status code of a function`,
		`# TYPE backstage_functions_function_run_total counter`,
		`backstage_functions_function_run_total{id="b",namespace="a",status="2xx"} 1`,
		`backstage_functions_function_run_total{id="b",namespace="a",status="4xx"} 1`,
		`backstage_functions_function_run_total{id="c",namespace="a",status="2xx"} 1`,
		`# HELP backstage_functions_overview_run_total What the portion of executions by status codes`,
		`backstage_functions_overview_run_total{status="2xx"} 2`,
		`backstage_functions_overview_run_total{status="4xx"} 1`,
		`# HELP backstage_functions_pipeline_run_total What is the status code of pipelines`,
		`backstage_functions_pipeline_run_total{status="5xx"} 1`,
		`# HELP backstage_functions_redis_leaks_total How many redis leaks in backstage functions`,
		`backstage_functions_redis_leaks_total 0`,
	)
}

func TestSetupsUpdatesAndScriptsAreCountedUnderTheOriginalsNames(t *testing.T) {
	m := New()
	ref := function.Ref{Namespace: "a", ID: "b"}
	answered := invoke.Ending{Status: 200, Stats: sandbox.Stats{Run: 50 * time.Millisecond, Load: 20 * time.Millisecond}}
	m.FunctionRun(context.Background(), ref, answered, time.Second)
	m.FunctionRun(context.Background(), ref, invoke.Ending{Status: 500, Err: errors.New("thrown")}, time.Second)
	m.FunctionSetup(20 * time.Millisecond)
	m.FunctionUpdate(200, 300*time.Millisecond)
	m.FunctionUpdate(404, 0)
	expectLines(
		t, scrape(t, m),
		`# TYPE backstage_functions_run_script_duration_seconds histogram`,
		`backstage_functions_run_script_duration_seconds_bucket{id="b",namespace="a",le="0.02"} 0`,
		`backstage_functions_run_script_duration_seconds_bucket{id="b",namespace="a",le="0.05"} 1`,
		`backstage_functions_run_script_duration_seconds_sum{id="b",namespace="a"} 0.03`,
		`backstage_functions_run_script_duration_seconds_count{id="b",namespace="a"} 1`,
		`backstage_functions_function_setup_total 1`,
		`backstage_functions_function_setup_duration_seconds_sum 0.02`,
		`backstage_functions_function_update_total{status="2xx"} 1`,
		`backstage_functions_function_update_total{status="4xx"} 1`,
		`backstage_functions_function_update_duration_seconds_bucket{status="2xx",le="0.5"} 1`,
	)
}

func TestBucketsAreTheOriginalsAndTwoFinerOnes(t *testing.T) {
	m := New()
	m.PipelineRun(200, 0)
	var bounds []string
	for line := range strings.Lines(scrape(t, m)) {
		if rest, ok := strings.CutPrefix(line, `backstage_functions_pipeline_run_duration_seconds_bucket{le="`); ok {
			bound, _, _ := strings.Cut(rest, `"`)
			bounds = append(bounds, bound)
		}
	}
	want := "0.00025 0.0005 0.001 0.002 0.005 0.01 0.02 0.05 0.1 0.2 0.5 1 2 5 10 15 20 +Inf"
	if got := strings.Join(bounds, " "); got != want {
		t.Errorf("buckets %s, want %s", got, want)
	}
}

func TestStatusesCountByClass(t *testing.T) {
	for status, want := range map[int]string{
		-1: "1xx", 0: "1xx", 100: "1xx", 199: "1xx", 200: "2xx", 299: "2xx", 304: "3xx", 404: "4xx", 499: "4xx", 500: "5xx", 599: "5xx", 700: "5xx",
	} {
		if got := classes[class(status)]; got != want {
			t.Errorf("%d counts as %s, want %s", status, got, want)
		}
	}
}

func TestFunctionsAboveTheBoundAreCountedTogether(t *testing.T) {
	m := New()
	for i := range MaxFunctions + 5 {
		m.FunctionRun(context.Background(), function.Ref{Namespace: "n", ID: fmt.Sprint(i)}, invoke.Ending{Status: 200}, time.Millisecond)
	}
	m.FunctionRun(context.Background(), function.Ref{Namespace: "n", ID: "0"}, invoke.Ending{Status: 200}, time.Millisecond)
	text := scrape(t, m)
	for line, want := range map[string]int{
		`backstage_functions_function_run_total{id="0",namespace="n",status="2xx"} 2` + "\n":         1,
		`backstage_functions_function_run_total{id="other",namespace="other",status="2xx"} 5` + "\n": 1,
		`backstage_functions_function_run_total{`:                                                    MaxFunctions + 1,
		`backstage_functions_function_run_duration_seconds_count{`:                                   MaxFunctions + 1,
		`backstage_functions_overview_run_total{status="2xx"} 10006` + "\n":                          1,
	} {
		if got := strings.Count(text, line); got != want {
			t.Errorf("%q is there %d times, want %d", line, got, want)
		}
	}
}

func TestHostileNamesAreCounted(t *testing.T) {
	m := New()
	m.FunctionRun(context.Background(), function.Ref{Namespace: "a\xff", ID: "\"\n\\"}, invoke.Ending{Status: 200}, 0)
	expectLines(t, scrape(t, m), `backstage_functions_function_run_total{id="\"\n\\",namespace="a`+"\uFFFD"+`",status="2xx"} 1`)
}

// What a terminal could take for a command, or what turns the direction of a text, is escaped, and no two names have the same label then.
func TestNamesThatCannotBeSeenAreEscapedInLabels(t *testing.T) {
	m := New()
	for i, id := range []string{"a\u202eb", `a\u202eb`, `a\\u202eb`, "\x1b[2J\u009b", "\U000e0041", `c:\dir`, "é 💥"} {
		for range i + 1 {
			m.FunctionRun(context.Background(), function.Ref{Namespace: "ns\u2066", ID: id}, invoke.Ending{Status: 200}, 0)
		}
	}
	m.Attempted("ns\u2066", "connected", 0)
	text := scrape(t, m)
	for i, id := range []string{
		`a\\u202eb`, `a\\\\u202eb`, `a\\\\\\\\u202eb`, `\\u001b[2J\\u009b`, `\\udb40\\udc41`, `c:\\dir`, "é 💥",
	} {
		expectLines(t, text, fmt.Sprintf(`backstage_functions_function_run_total{id="%s",namespace="ns\\u2066",status="2xx"} %d`, id, i+1))
	}
	expectLines(t, text, `functions_egress_connections_total{namespace="ns\\u2066",result="connected"} 1`)
	if strings.ContainsAny(text, "\u202e\u2066\x1b\u009b\U000e0041") {
		t.Error("what cannot be seen is in the scrape")
	}
}

func TestCountingIsSafeForConcurrentUse(t *testing.T) {
	m := New()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 1000 {
				m.FunctionRun(context.Background(), function.Ref{Namespace: "n", ID: fmt.Sprint(i % 10)}, invoke.Ending{Status: 200 + i%4*100}, 0)
			}
		})
	}
	group.Wait()
	expectLines(t, scrape(t, m), `backstage_functions_overview_run_total{status="5xx"} 2000`, `backstage_functions_overview_run_duration_seconds_count 8000`)
}
