package config

// tracesVariables are about spans. Those that OpenTelemetry's SDK reads by itself are named in docs/operations.md.
var tracesVariables = []Variable{
	{
		Name: "OTEL_COLLECTOR_HOST", Default: "none", derive: none,
		Meaning: "OpenTelemetry collector to send traces to, over gRPC without TLS.",
		parse:   text(func(c *Config) *string { return &c.Trace.collectorHost }),
	},
	{
		Name: "OTEL_COLLECTOR_PORT", Default: "55680",
		Meaning: "Port of that collector; today's listen on 4317.",
		parse:   leading(1, maxPort, func(c *Config) *int { return &c.Trace.collectorPort }),
	},
	{
		Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Default: "none", derive: none, secret: true,
		Meaning: "URL of a collector, by OpenTelemetry's standard; goes before `OTEL_COLLECTOR_HOST`.",
		parse:   isSet(func(c *Config) *bool { return &c.Trace.standardEndpoint }),
	},
	{
		Name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Default: "none", derive: none, secret: true,
		Meaning: "As above, for traces alone, and with the whole path.",
		parse:   isSet(func(c *Config) *bool { return &c.Trace.standardEndpoint }),
	},
	{
		Name: "OTEL_EXPORTER_OTLP_PROTOCOL", Default: "http/protobuf",
		Meaning: "Protocol of the standard endpoint: `grpc` or `http/protobuf`.",
		parse:   oneOf(func(c *Config) *string { return &c.Trace.Protocol }, otlpGRPC, otlpHTTP),
	},
	{
		Name: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", Default: "`OTEL_EXPORTER_OTLP_PROTOCOL`", derive: none,
		Meaning: "As above, for traces alone.",
		parse:   oneOf(func(c *Config) *string { return &c.Trace.Protocol }, otlpGRPC, otlpHTTP),
	},
	{
		Name: "OTEL_TRACES_EXPORTER", Default: "`otlp` where a collector is named, else `none`", derive: none,
		Meaning: "`otlp` sends traces even when no collector is named, to this machine; `none` sends none.",
		parse:   oneOf(func(c *Config) *string { return &c.Trace.exporter }, "otlp", "none"),
	},
	{
		Name: "OTEL_SDK_DISABLED", Default: "false",
		Meaning: "`true` sends no traces.",
		parse:   isTrue(func(c *Config) *bool { return &c.Trace.disabled }),
	},
	{
		Name: "OTEL_PROPAGATORS", Default: "baggage,tracecontext",
		Meaning: "Headers in which the trace of a request may come: `tracecontext`, which is always among them, `baggage`, `b3`, " +
			"`b3multi`, `jaeger`; or `none` of all.",
		parse: propagators([]string{"tracecontext", "baggage", "b3", "b3multi", "jaeger", propagatorNone}),
	},
	{
		Name: "OTEL_EXPORTER_SERVICE", Default: "`OPENTRACING_SERVICE`", derive: none,
		Meaning: "Name of the service in traces. `OTEL_SERVICE_NAME` goes before it.",
		parse:   serviceName,
	},
	{
		Name: "OPENTRACING_SERVICE", Default: "`TSURU_APPNAME`", derive: none,
		Meaning: "Another name for `OTEL_EXPORTER_SERVICE`.",
		parse:   serviceName,
	},
	{
		Name: "TSURU_APPNAME", Default: "functions",
		Meaning: "Another name for `OTEL_EXPORTER_SERVICE`.",
		parse:   serviceName,
	},
	{
		Name: "HOSTNAME", Default: "localhost",
		Meaning: "The attribute `service.instance.id` of traces.",
		parse:   text(func(c *Config) *string { return &c.Trace.Instance }),
	},
	{
		Name: "TRACE_ENGINE", Default: "opentracing",
		Meaning: "`opentelemetry` takes the effect from `OPENTRACING_ENGINE`. The spans are the same.",
		parse:   text(func(c *Config) *string { return &c.Trace.engine }),
	},
	{
		Name: "OPENTRACING_ENGINE", Default: "none", derive: none,
		Meaning: "`jaeger` sends traces, takes Jaeger's headers in requests and puts them on answers (`uber-trace-id`); anything " +
			"else does nothing.",
		parse: text(func(c *Config) *string { return &c.Trace.opentracing }),
	},
	{
		Name: "JAEGER_PROPAGATION", Default: "jaeger",
		Meaning: "`b3` uses the headers `X-B3-…` in place of Jaeger's.",
		parse:   text(func(c *Config) *string { return &c.Trace.propagation }),
	},
	{
		Name: "JAEGER_AGENT_HOST", Default: "none", derive: none,
		Meaning: "With `OPENTRACING_ENGINE=jaeger` and no collector named, the Jaeger to send to, by OTLP on port 4317.",
		parse:   text(func(c *Config) *string { return &c.Trace.jaegerHost }),
	},
}

// isSet is true for any text.
func isSet(target func(*Config) *bool) parser {
	return func(c *Config, _ string) error {
		*target(c) = true
		return nil
	}
}

// serviceName sets the name unless a variable before has done so.
func serviceName(c *Config, text string) error {
	if c.Trace.Service == "" {
		c.Trace.Service = text
	}
	return nil
}
