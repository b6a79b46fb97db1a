package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// outside is Sentry and an OpenTelemetry collector in one.
type outside struct {
	*httptest.Server
	mu     sync.Mutex // guards the fields below
	events []map[string]any
	spans  map[string]map[string]string // attributes by the span's name
	stacks []string                     // of errors in spans
}

func newOutside(t *testing.T) *outside {
	o := &outside{spans: map[string]map[string]string{}}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		switch r.URL.Path {
		case "/api/0/":
		case "/api/1/envelope/":
			event := map[string]any{}
			if err := json.Unmarshal([]byte(strings.SplitN(string(body), "\n", 3)[2]), &event); err != nil {
				t.Error(err)
			}
			o.events = append(o.events, event)
		case "/v1/traces":
			o.addSpans(t, body)
		default:
			t.Errorf("asked for %s", r.URL)
		}
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *outside) addSpans(t *testing.T, body []byte) {
	request := new(collector.ExportTraceServiceRequest)
	if err := proto.Unmarshal(body, request); err != nil {
		t.Error(err)
	}
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				attributes := map[string]string{"trace": string(span.TraceId)}
				for _, a := range span.Attributes {
					attributes[a.Key] = a.Value.GetStringValue()
				}
				o.spans[span.Name] = attributes
				for _, event := range span.Events {
					for _, a := range event.Attributes {
						if a.Key == "exception.stacktrace" {
							o.stacks = append(o.stacks, a.Value.GetStringValue())
						}
					}
				}
			}
		}
	}
}

// request sends a request and returns the answer with its body.
func (s *server) request(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

func TestOneIDLeadsThroughAnswerLogTraceAndReport(t *testing.T) {
	outside := newOutside(t)
	s := startServer(t, "LOG_APP_FORMAT=json", "SENTRY_DSN="+strings.Replace(outside.URL, "://", "://key@", 1)+"/1",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+outside.URL, "OPENTRACING_ENGINE=jaeger")
	if answer, body := s.request(t, "PUT", "/functions/shop/price",
		`{"code":"function main(req, res) {\n  console.log('working');\n  Backstage.span.setTag('user', 'u1').log({ b: 2 });\n  Backstage.span.tracer().startSpan('look up').setTag('table', 'prices').finish();\n  throw new TypeError('broken');\n}"}`); answer.StatusCode != 200 {
		t.Fatalf("PUT: %s", body)
	}
	answer, body := s.request(t, "PUT", "/functions/shop/price/run", `{"n":1}`, "X-Request-Id", "call-7")
	if answer.StatusCode != 500 || body != `{"error":"broken"}` || answer.Header.Get("X-Request-Id") != "call-7" {
		t.Errorf("answered %d %s %v", answer.StatusCode, body, answer.Header)
	}
	if got := answer.Header.Get("Server-Timing"); !regexp.MustCompile(`^queue;dur=\d+\.\d{3}, start;desc="(warm|prewarmed|cold)", load;dur=\d+\.\d{3}, run;dur=\d+\.\d{3}$`).MatchString(got) {
		t.Errorf("Server-Timing is %q", got)
	}
	traceOfAnswer := answer.Header.Get("Uber-Trace-Id")
	if !regexp.MustCompile(`^[0-9a-f]{32}:[0-9a-f]{16}:0:1$`).MatchString(traceOfAnswer) {
		t.Errorf("Uber-Trace-Id is %q", traceOfAnswer)
	}
	if _, body := s.request(t, "GET", "/status", ""); !strings.Contains(body, `{"name":"Sentry","status":"WORKING","message":"OK"`) {
		t.Errorf("status %s", body)
	}
	s.stop(t)

	if line := regexp.MustCompile(`\{"time":"[^"]+","level":"info","message":"working","namespace":"shop","id":"price","requestId":"call-7","traceId":"[0-9a-f]{32}","function_id":"price","request_id":"call-7"\}`); !line.MatchString(s.logs.text()) {
		t.Errorf("the log has no line of the call:\n%s", s.logs.text())
	}
	if len(outside.events) != 1 || outside.events[0]["message"] != "shop/price.js: TypeError: broken" || outside.events[0]["culprit"] != "shop/price.js: price at main" {
		t.Fatalf("reported %v", outside.events)
	}
	if extra, _ := outside.events[0]["extra"].(map[string]any); extra["requestId"] != "call-7" {
		t.Errorf("reported %v", extra)
	}
	if modules, _ := outside.events[0]["modules"].(map[string]any); modules["lodash"] == nil {
		t.Errorf("modules %v", modules)
	}
	for _, name := range []string{"PUT /functions/{namespace}/{id}/run", "run function"} {
		if span := outside.spans[name]; span["http.request_id"] != "call-7" {
			t.Errorf("span %q of %v", name, outside.spans)
		}
	}
	for _, name := range []string{"queue", "run", "store get", "store put", "GET /status"} {
		if outside.spans[name] == nil {
			t.Errorf("no span %q", name)
		}
	}
	if own := outside.spans["look up"]; own["table"] != "prices" || own["function.id"] != "price" || own["trace"] != outside.spans["run"]["trace"] {
		t.Errorf("the function's own span is %v", own)
	}
	if got := outside.spans["run"]["user"]; got != "u1" {
		t.Errorf("the run has %v", outside.spans["run"])
	}
	if got := outside.spans["run"]["trace"]; got != outside.spans["run function"]["trace"] || got != outside.spans["store get"]["trace"] {
		t.Error("the spans of the call are not of one trace")
	}
}

func TestServerEndsWellWhileNobodyTakesItsReports(t *testing.T) {
	s := startServer(t, "SENTRY_DSN=http://key@127.0.0.1:1/1", "OTEL_COLLECTOR_HOST=127.0.0.1", "OTEL_COLLECTOR_PORT=1")
	s.request(t, "PUT", "/functions/a/b", `{"code":"function main() { throw new Error('x') }"}`)
	if answer, _ := s.request(t, "GET", "/functions/a/b/run", ""); answer.StatusCode != 500 {
		t.Errorf("status %d", answer.StatusCode)
	}
	if answer, body := s.request(t, "GET", "/status", ""); answer.StatusCode != 500 || !strings.Contains(body, `"message":"Error: Sentry cannot be reached"`) {
		t.Errorf("status %s", body)
	}
	s.stop(t)
}

func TestWrongSentryAddressIsToldAtTheStart(t *testing.T) {
	t.Setenv("SENTRY_DSN", "nonsense")
	t.Setenv("DATA_DIR", t.TempDir())
	t.Setenv("PORT", "0")
	t.Setenv("METRICS_PORT", "0")
	t.Setenv("RUNNER_DIR", "../../runner-js")
	if err := run(t.Context(), []string{"serve"}, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "SENTRY_DSN: ") {
		t.Errorf("error %v", err)
	}
}
