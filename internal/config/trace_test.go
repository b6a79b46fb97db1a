package config

import (
	"slices"
	"strings"
	"testing"
)

func TestTracesAreOffUntilACollectorIsNamed(t *testing.T) {
	for environ, on := range map[string]bool{
		"":                              false,
		"TRACE_ENGINE=opentelemetry":    false,
		"OPENTRACING_ENGINE=no-op":      false,
		"OTEL_TRACES_EXPORTER=none":     false,
		"OTEL_TRACES_EXPORTER=otlp":     true,
		"OTEL_COLLECTOR_HOST=collector": true,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318":                  true,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4318/v1/traces": true,
		"OPENTRACING_ENGINE=jaeger":                                          true,
		"OPENTRACING_ENGINE=jaeger|TRACE_ENGINE=opentelemetry":               false,
		"OTEL_COLLECTOR_HOST=collector|OTEL_SDK_DISABLED=true":               false,
		"OTEL_COLLECTOR_HOST=collector|OTEL_TRACES_EXPORTER=none":            false,
	} {
		if got := mustLoad(t, strings.Split(environ, "|")...).Trace.On; got != on {
			t.Errorf("%s: on is %t", environ, got)
		}
	}
}

func TestTracesGoWhereTheVariablesSay(t *testing.T) {
	for environ, want := range map[string]string{
		"OTEL_COLLECTOR_HOST=collector":                                                                  "grpc collector:55680",
		"OTEL_COLLECTOR_HOST=collector|OTEL_COLLECTOR_PORT=4317":                                         "grpc collector:4317",
		"OTEL_COLLECTOR_HOST=::1|OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf":                              "grpc [::1]:55680",
		"OTEL_COLLECTOR_HOST=collector|OTEL_EXPORTER_OTLP_ENDPOINT=http://o:1":                           "http/protobuf ",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://o:1|OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                        "grpc ",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc|OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf":              "http/protobuf ",
		"OPENTRACING_ENGINE=jaeger":                                                                      "http/protobuf ",
		"OPENTRACING_ENGINE=jaeger|JAEGER_AGENT_HOST=jaeger":                                             "grpc jaeger:4317",
		"JAEGER_AGENT_HOST=jaeger":                                                                       "http/protobuf ",
		"OPENTRACING_ENGINE=jaeger|JAEGER_AGENT_HOST=jaeger|OTEL_COLLECTOR_HOST=c|OTEL_COLLECTOR_PORT=1": "grpc c:1",
	} {
		trace := mustLoad(t, strings.Split(environ, "|")...).Trace
		if got := trace.Protocol + " " + trace.Endpoint; got != want {
			t.Errorf("%s: %q, want %q", environ, got, want)
		}
	}
}

func TestFirstNameOfTheServiceCounts(t *testing.T) {
	for environ, want := range map[string]string{
		"":                       "functions",
		"TSURU_APPNAME=app":      "app",
		"OPENTRACING_SERVICE=op": "op",
		"TSURU_APPNAME=app|OPENTRACING_SERVICE=op":                           "op",
		"TSURU_APPNAME=app|OPENTRACING_SERVICE=op|OTEL_EXPORTER_SERVICE=exp": "exp",
	} {
		if got := mustLoad(t, strings.Split(environ, "|")...).Trace.Service; got != want {
			t.Errorf("%s: %q, want %q", environ, got, want)
		}
	}
	if got := mustLoad(t, "HOSTNAME=host-1").Trace.Instance; got != "host-1" {
		t.Errorf("instance %q", got)
	}
}

func TestPropagatorsAlwaysHoldW3CsLast(t *testing.T) {
	for environ, want := range map[string]string{
		"":                    " baggage tracecontext",
		"OTEL_PROPAGATORS=b3": " b3 tracecontext",
		"OTEL_PROPAGATORS=tracecontext,b3multi , jaeger":    " b3multi jaeger tracecontext",
		"OTEL_PROPAGATORS=none":                             "",
		"OPENTRACING_ENGINE=jaeger":                         "jaeger jaeger baggage tracecontext",
		"OPENTRACING_ENGINE=jaeger|JAEGER_PROPAGATION=b3":   "b3multi b3multi baggage tracecontext",
		"OPENTRACING_ENGINE=jaeger|OTEL_PROPAGATORS=none":   "jaeger",
		"OPENTRACING_ENGINE=jaeger|OTEL_PROPAGATORS=jaeger": "jaeger jaeger jaeger tracecontext",
	} {
		trace := mustLoad(t, strings.Split(environ, "|")...).Trace
		if got := strings.TrimSpace(strings.Join(slices.Concat([]string{trace.Answer}, trace.Propagators), " ")); got != strings.TrimSpace(want) {
			t.Errorf("%s: %q, want %q", environ, got, want)
		}
	}
}

func TestFaultsOfTracesNameTheirVariable(t *testing.T) {
	for setting, want := range map[string]string{
		"OTEL_PROPAGATORS=xray":                 "must be a list of tracecontext, baggage, b3, b3multi, jaeger, none",
		"OTEL_PROPAGATORS=b3,none":              "must be none alone, or a list without it",
		"OTEL_TRACES_EXPORTER=zipkin":           "must be otlp or none",
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/json": "must be grpc or http/protobuf",
		"OTEL_COLLECTOR_PORT=none":              "must be a whole number from 1 to 65535",
	} {
		name, _, _ := strings.Cut(setting, "=")
		if _, err := from(setting); err == nil || !strings.HasPrefix(err.Error(), name+": "+want) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func TestSentryAddressIsASecret(t *testing.T) {
	c := mustLoad(t, "SENTRY_DSN=https://hunter2@sentry/1")
	if string(c.SentryDSN) != "https://hunter2@sentry/1" || strings.Contains(c.String(), "hunter2") {
		t.Errorf("got %q in %s", string(c.SentryDSN), c)
	}
}
