package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// The protocols of OTLP.
const (
	otlpGRPC = "grpc"
	otlpHTTP = "http/protobuf"
)

// The names that this package gives to propagators; OTEL_PROPAGATORS has more.
const (
	propagatorNone   = "none"
	propagatorJaeger = "jaeger"
	propagatorB3     = "b3multi"
)

// jaegerPort is Jaeger's port for OTLP over gRPC.
const jaegerPort = 4317

// Trace is the configuration of traces: first what was decided, then what it was decided from.
type Trace struct {
	// On says whether to create spans at all.
	On bool
	// Endpoint is a gRPC collector without TLS, "host:port"; empty if the OTEL_EXPORTER_OTLP_* variables name one.
	Endpoint string
	// Protocol is OTEL_EXPORTER_OTLP_TRACES_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" or "http/protobuf".
	Protocol string
	// Service is the first of OTEL_EXPORTER_SERVICE, OPENTRACING_SERVICE and TSURU_APPNAME that is set; Instance is
	// HOSTNAME.
	Service, Instance string
	// Propagators are the formats in which a trace may come: W3C's and those configured. The last one takes precedence.
	Propagators []string
	// Answer is the propagator for answers: that of OPENTRACING_ENGINE=jaeger; otherwise empty.
	Answer string

	disabled         bool // OTEL_SDK_DISABLED
	exporter         string
	standardEndpoint bool
	collectorHost    string
	collectorPort    int
	engine           string // TRACE_ENGINE
	opentracing      string // OPENTRACING_ENGINE
	propagation      string // JAEGER_PROPAGATION
	jaegerHost       string
}

// complete derives the rest from the variables.
func (t *Trace) complete() {
	jaeger := t.opentracing == "jaeger" && t.engine != "opentelemetry"
	t.On = !t.disabled && t.exporter != "none" &&
		(t.exporter != "" || t.standardEndpoint || t.collectorHost != "" || jaeger)
	t.completeEndpoint(jaeger)
	t.completePropagators(jaeger)
}

func (t *Trace) completeEndpoint(jaeger bool) {
	switch {
	case t.standardEndpoint:
	case t.collectorHost != "":
		t.Endpoint = net.JoinHostPort(t.collectorHost, strconv.Itoa(t.collectorPort))
	case jaeger && t.jaegerHost != "":
		t.Endpoint = net.JoinHostPort(t.jaegerHost, strconv.Itoa(jaegerPort))
	}
	switch {
	case t.Endpoint != "":
		t.Protocol = otlpGRPC
	case t.Protocol == "":
		t.Protocol = otlpHTTP
	}
}

func (t *Trace) completePropagators(jaeger bool) {
	if jaeger {
		t.Answer = propagatorJaeger
		if t.propagation == "b3" {
			t.Answer = propagatorB3
		}
	}
	if slices.Equal(t.Propagators, []string{propagatorNone}) {
		t.Propagators = nil
		return
	}
	if jaeger {
		t.Propagators = append([]string{t.Answer}, t.Propagators...)
	}
	// The last one takes precedence, and W3C's is always accepted.
	t.Propagators = slices.DeleteFunc(t.Propagators, func(name string) bool { return name == "tracecontext" })
	t.Propagators = append(t.Propagators, "tracecontext")
}

// propagators reads the names of OTEL_PROPAGATORS.
func propagators(known []string) parser {
	return past(func(c *Config, text string) error {
		var names []string
		for name := range strings.SplitSeq(text, ",") {
			i := indexFold(known, name)
			if i < 0 {
				return fmt.Errorf("must be a list of %s", strings.Join(known, ", "))
			}
			names = append(names, known[i])
		}
		if len(names) > 1 && slices.Contains(names, propagatorNone) {
			return errors.New("must be " + propagatorNone + " alone, or a list without it")
		}
		c.Trace.Propagators = names
		return nil
	}, []string{known[0], strings.Join(known[:len(known)-1], " , "), propagatorNone, strings.ToUpper(known[0])},
		[]string{"x", ",", known[0] + ",", known[0] + "," + propagatorNone})
}
