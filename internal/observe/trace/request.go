package trace

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/backstage/functions/internal/httpd/answer"
)

// The tags of a request's span are those of the original, which are also OpenTelemetry's older ones.
const (
	tagMethod    = attribute.Key("http.method")
	tagURL       = attribute.Key("http.url")
	tagRoute     = attribute.Key("http.route")
	tagStatus    = attribute.Key("http.status_code")
	tagRequestID = attribute.Key("http.request_id")
	tagError     = attribute.Key("error")
)

// headerRequestID carries the invocation ID of answers that have one.
const headerRequestID = "X-Request-Id"

// Handler makes a span of each request that next serves but for health checks. It goes on with the trace of the
// request, if that belongs to one.
func (t *Tracer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isProbe(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx := t.incoming.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, methodOf(r), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			tagMethod.String(clean(r.Method, maxName)), tagURL.String(clean(urlOf(r), maxURL))))
		t.answer.Inject(ctx, propagation.HeaderCarrier(w.Header()))
		rec := &answer.Recorder{ResponseWriter: w}
		cut := true // unless next returns
		defer func() { endRequest(span, rec, cut && r.Context().Err() == nil) }()
		next.ServeHTTP(rec, r.WithContext(ctx))
		cut = false
	})
}

// isProbe says whether a path is asked for again and again, by machines that want to know whether the server is well.
func isProbe(path string) bool {
	switch strings.ToLower(strings.TrimSuffix(path, "/")) {
	case "/healthcheck", "/livez", "/readyz":
		return true
	}
	return false
}

// ID is the ID of the trace that ctx belongs to, in hex; empty for none.
func ID(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		return span.TraceID().String()
	}
	return ""
}

// Sampled is ID for a trace that is sent, empty for one that is not.
func Sampled(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() && span.IsSampled() {
		return span.TraceID().String()
	}
	return ""
}

// Route names the span of r by its route, such as "/functions/{namespace}".
func (t *Tracer) Route(r *http.Request, route string) {
	span := trace.SpanFromContext(r.Context())
	if span.IsRecording() {
		span.SetName(methodOf(r) + " " + route)
		span.SetAttributes(tagRoute.String(route))
	}
}

// methodOf is the request's method for the name of a span: callers may send any, but names must not be without number.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet,
		http.MethodHead,
		http.MethodPost,
		http.MethodPut,
		http.MethodPatch,
		http.MethodDelete,
		http.MethodOptions:
		return r.Method
	}
	return "HTTP"
}

func urlOf(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	if first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ","); strings.TrimSpace(first) == "https" {
		scheme = "https://"
	}
	if !strings.HasPrefix(r.RequestURI, "/") { // it has scheme and host of its own
		return scheme + r.Host + r.URL.RequestURI()
	}
	return scheme + r.Host + r.RequestURI
}

// endRequest ends the span of a request with its answer w. One that did not begin is an error too, and so is one that
// was cut off although its caller was there.
func endRequest(span trace.Span, w *answer.Recorder, cut bool) {
	span.SetAttributes(tagStatus.Int(w.Status))
	if id := w.Header().Get(headerRequestID); id != "" {
		span.SetAttributes(tagRequestID.String(clean(id, maxName)))
	}
	failed := w.Status == 0 || w.Status >= http.StatusInternalServerError
	switch {
	case failed:
		span.SetStatus(codes.Error, http.StatusText(w.Status))
	case cut:
		span.SetStatus(codes.Error, "the answer was cut off")
	}
	if failed || cut {
		span.SetAttributes(tagError.Bool(true))
	}
	span.End()
}
