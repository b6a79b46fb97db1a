package trace

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/backstage/functions/internal/invoke"
)

// fakeCollector receives spans over gRPC and over HTTP.
type fakeCollector struct {
	collector.UnimplementedTraceServiceServer
	received chan *collector.ExportTraceServiceRequest
}

func newFakeCollector() *fakeCollector {
	return &fakeCollector{received: make(chan *collector.ExportTraceServiceRequest, 10)}
}

func (c *fakeCollector) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	c.received <- r
	return &collector.ExportTraceServiceResponse{}, nil
}

func (c *fakeCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := new(collector.ExportTraceServiceRequest)
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.received <- request
}

// serveGRPC returns its address, "host:port".
func (c *fakeCollector) serveGRPC(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, c)
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// sendOne makes one span and ends the Tracer.
func sendOne(t *testing.T, o Options) {
	t.Helper()
	o.Propagators = []string{"tracecontext"}
	tracer, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Run(t.Context(), call)
	span.End(invoke.Ending{Status: 200})
	for range 2 {
		if err := tracer.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// check requires the span and the attributes of the resource.
func (c *fakeCollector) check(t *testing.T, service, instance string) {
	t.Helper()
	request := <-c.received
	spans := request.ResourceSpans[0]
	if name := spans.ScopeSpans[0].Spans[0].Name; name != "run function" {
		t.Errorf("span %q", name)
	}
	got := map[string]string{}
	for _, a := range spans.Resource.Attributes {
		got[a.Key] = a.Value.GetStringValue()
	}
	if got["service.name"] != service || got["service.instance.id"] != instance {
		t.Errorf("resource %v", got)
	}
}

func TestSpansGoToACollectorOverGRPC(t *testing.T) {
	c := newFakeCollector()
	sendOne(t, Options{Endpoint: c.serveGRPC(t), Protocol: GRPC, Service: "functions", Instance: "host-1"})
	c.check(t, "functions", "host-1")
}

func TestStandardVariablesNameTheCollector(t *testing.T) {
	c := newFakeCollector()
	t.Setenv("OTEL_SERVICE_NAME", "named")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+c.serveGRPC(t))
	sendOne(t, Options{Protocol: GRPC, Service: "functions"})
	c.check(t, "named", "")
}

func TestSpansGoToACollectorOverHTTP(t *testing.T) {
	c := newFakeCollector()
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	sendOne(t, Options{Protocol: HTTP, Service: "functions"})
	c.check(t, "functions", "")
}

func TestWrongOptionsAreErrors(t *testing.T) {
	for _, o := range []Options{
		{Protocol: "carrier pigeon"},
		{Protocol: HTTP, Endpoint: "host:1"},
		{Protocol: GRPC, Propagators: []string{"x"}},
		{Protocol: GRPC, Answer: "x"},
	} {
		if _, err := New(t.Context(), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func TestLossesAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		l := &losses{logger: slog.New(slog.NewTextHandler(&log, nil))}
		for range 100 {
			l.Handle(errors.New("away"))
		}
		if got := strings.Count(log.String(), "Traces could not be sent"); got != 1 {
			t.Errorf("%d lines", got)
		}
		time.Sleep(lossReport)
		l.Handle(errors.New("away"))
		if got := log.String(); strings.Count(got, "Traces could not be sent") != 2 || !strings.Contains(got, "errors=100") {
			t.Errorf("log %s", got)
		}
	})
}
