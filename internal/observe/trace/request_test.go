package trace

import (
	"context"
	"crypto/tls"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/backstage/functions/internal/store/hook"
)

// serve answers one request through the Tracer and returns the answer.
func (f *fixture) serve(r *http.Request, status int) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.Route(r, "/functions/{namespace}/{id}/run")
		w.Header().Set("X-Request-Id", "call-1")
		if status != http.StatusOK {
			w.WriteHeader(status)
		}
		_, _ = w.Write([]byte("x"))
	})).ServeHTTP(w, r)
	return w
}

func TestRequestIsNamedByItsRoute(t *testing.T) {
	f := newFixture(t, Options{})
	r := httptest.NewRequest("PUT", "/functions/a/b/run?x=1", nil)
	r.Header.Set("X-Forwarded-Proto", "https, http")
	f.serve(r, 200)
	span := f.span(t, "PUT /functions/{namespace}/{id}/run")
	want := map[string]string{
		"http.method": "PUT", "http.url": "https://example.com/functions/a/b/run?x=1", "http.status_code": "200",
		"http.route": "/functions/{namespace}/{id}/run", "http.request_id": "call-1",
	}
	if got := tags(span.Attributes); !maps.Equal(got, want) || span.SpanKind != trace.SpanKindServer || span.Status.Code != codes.Unset {
		t.Errorf("span %v %v %v", got, span.SpanKind, span.Status)
	}
}

func TestRequestFailsFrom500Up(t *testing.T) {
	for status, failed := range map[int]bool{200: false, 304: false, 404: false, 499: false, 500: true, 503: true} {
		f := newFixture(t, Options{})
		f.serve(httptest.NewRequest("GET", "/", nil), status)
		span := f.span(t, "GET /functions/{namespace}/{id}/run")
		if got := span.Status.Code == codes.Error; got != failed || (tags(span.Attributes)["error"] == "true") != failed {
			t.Errorf("%d: %+v %v", status, span.Status, span.Attributes)
		}
	}
}

func TestARequestOverTLSHasSuchAnAddress(t *testing.T) {
	f := newFixture(t, Options{})
	r := httptest.NewRequest("GET", "/a", nil)
	r.TLS = &tls.ConnectionState{}
	f.serve(r, 200)
	span := f.span(t, "GET /functions/{namespace}/{id}/run")
	if url := tags(span.Attributes)["http.url"]; url != "https://example.com/a" {
		t.Errorf("got %s", url)
	}
}

func TestAnAnswerThatIsCutOffFails(t *testing.T) {
	for name, row := range map[string]struct{ left, failed bool }{
		"cut":                {false, true},
		"left by its caller": {true, false},
	} {
		f := newFixture(t, Options{})
		ctx, leave := context.WithCancel(t.Context())
		func() {
			defer func() { _ = recover() }()
			f.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte("x"))
				if row.left {
					leave()
				}
				panic(http.ErrAbortHandler)
			})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		}()
		leave()
		span := f.span(t, "GET")
		tagged := tags(span.Attributes)["error"] == "true"
		if got := span.Status.Code == codes.Error; got != row.failed || tagged != row.failed {
			t.Errorf("%s: %+v %v", name, span.Status, span.Attributes)
		}
	}
}

func TestMadeUpMethodsMakeNoNames(t *testing.T) {
	f := newFixture(t, Options{})
	f.serve(httptest.NewRequest("X1", "/", nil), 200)
	f.span(t, "HTTP /functions/{namespace}/{id}/run")
}

func TestHealthChecksMakeNoSpans(t *testing.T) {
	f := newFixture(t, Options{})
	for _, path := range []string{"/healthcheck", "/HealthCheck/", "/livez", "/readyz?verbose"} {
		f.serve(httptest.NewRequest("GET", path, nil), 200)
	}
	_, end := f.Store(t.Context(), hook.Operation{Name: "ping"})
	end(nil)
	if spans := f.spans.GetSpans(); len(spans) != 0 {
		t.Errorf("spans %v", spans)
	}
}

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
)

func TestTraceOfTheCallerGoesOn(t *testing.T) {
	for _, row := range []struct{ name, header string }{
		{"W3C", "traceparent: 00-" + traceID + "-" + spanID + "-01"},
		{"B3 in one header", "b3: " + traceID + "-" + spanID + "-1"},
		{"B3 in several", "X-B3-TraceId: " + traceID + "\nX-B3-SpanId: " + spanID + "\nX-B3-Sampled: 1"},
		{"Jaeger", "uber-trace-id: " + traceID + ":" + spanID + ":0:1"},
		{"W3C before others", "b3: 1af7651916cd43dd8448eb211c80319c-" + spanID + "-1\ntraceparent: 00-" + traceID + "-" + spanID + "-01"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			r := httptest.NewRequest("GET", "/", nil)
			for line := range strings.SplitSeq(row.header, "\n") {
				name, value, _ := strings.Cut(line, ": ")
				r.Header.Set(name, value)
			}
			f.serve(r, 200)
			span := f.span(t, "GET /functions/{namespace}/{id}/run")
			if span.SpanContext.TraceID().String() != traceID || span.Parent.SpanID().String() != spanID {
				t.Errorf("trace %s, parent %s", span.SpanContext.TraceID(), span.Parent.SpanID())
			}
		})
	}
}

func TestBrokenTraceHeadersBeginATrace(t *testing.T) {
	f := newFixture(t, Options{})
	r := httptest.NewRequest("GET", "/", nil)
	for _, name := range []string{"traceparent", "b3", "uber-trace-id", "X-B3-TraceId"} {
		r.Header.Set(name, "\xffnonsense:::")
	}
	f.serve(r, 200)
	if span := f.span(t, "GET /functions/{namespace}/{id}/run"); span.Parent.IsValid() || !span.SpanContext.IsValid() {
		t.Errorf("span %+v of %+v", span.SpanContext, span.Parent)
	}
}

func TestAnswerCarriesTheTraceWhereConfigured(t *testing.T) {
	for answer, header := range map[string]string{"": "", "jaeger": "Uber-Trace-Id", "b3multi": "X-B3-Traceid"} {
		f := newFixture(t, Options{Answer: answer})
		w := f.serve(httptest.NewRequest("GET", "/", nil), 200)
		id := f.span(t, "GET /functions/{namespace}/{id}/run").SpanContext.TraceID().String()
		if got := w.Header().Get(header); header != "" && !strings.HasPrefix(got, id) {
			t.Errorf("%s: %s is %q, the trace %s", answer, header, got, id)
		}
		if header == "" && len(w.Header()) != 2 { // beside the ID and the sniffed type
			t.Errorf("headers %v", w.Header())
		}
	}
}
