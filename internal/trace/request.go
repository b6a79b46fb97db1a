package trace

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
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

// Handler makes a span of each request that next serves but for health checks. It goes on with the trace of the request,
// if that belongs to one.
func (t *Tracer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.URL.Path, "/healthcheck") {
			next.ServeHTTP(w, r)
			return
		}
		ctx := t.incoming.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, methodOf(r), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			tagMethod.String(clean(r.Method, maxName)), tagURL.String(clean(urlOf(r), maxURL))))
		t.answer.Inject(ctx, propagation.HeaderCarrier(w.Header()))
		rec := &recorder{ResponseWriter: w}
		defer func() { rec.end(span) }()
		next.ServeHTTP(rec, r.WithContext(ctx))
	})
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
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "HTTP"
}

func urlOf(r *http.Request) string {
	scheme := "http://"
	if first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ","); strings.TrimSpace(first) == "https" {
		scheme = "https://"
	}
	return scheme + r.Host + r.RequestURI
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the answer has begun
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// end ends the request's span. An answer that was cut off is an error too.
func (w *recorder) end(span trace.Span) {
	span.SetAttributes(tagStatus.Int(w.status))
	if id := w.Header().Get(headerRequestID); id != "" {
		span.SetAttributes(tagRequestID.String(clean(id, maxName)))
	}
	if w.status == 0 || w.status >= http.StatusInternalServerError {
		span.SetAttributes(tagError.Bool(true))
		span.SetStatus(codes.Error, http.StatusText(w.status))
	}
	span.End()
}
