package config

// tracesVariables are about spans.
var tracesVariables = []Variable{
	{
		Name: "OTEL_COLLECTOR_HOST", Default: "none", derive: none,
		Meaning: "OpenTelemetry collector to send traces to, over gRPC without TLS.",
		parse:   host(func(c *Config) *string { return &c.Trace.collectorHost }),
	},
	{
		Name: "OTEL_COLLECTOR_PORT", Default: "55680",
		Meaning: "Port of that collector; current collectors listen on 4317.",
		parse:   leading(1, maxPort, func(c *Config) *int { return &c.Trace.collectorPort }),
	},
	{
		Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Default: "none", derive: none, secret: true,
		Meaning: "URL of a collector, by OpenTelemetry's standard; takes precedence over `OTEL_COLLECTOR_HOST`.",
		parse:   webAddress(false, func(c *Config, _ string) { c.Trace.standardEndpoint = true }),
	},
	{
		Name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Default: "none", derive: none, secret: true,
		Meaning: "As above, for traces alone, and with the whole path.",
		parse:   webAddress(false, func(c *Config, _ string) { c.Trace.standardEndpoint = true }),
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
		Meaning: "`otlp` sends traces to this machine even if no collector is named; `none` sends none.",
		parse:   oneOf(func(c *Config) *string { return &c.Trace.exporter }, "otlp", "none"),
	},
	{
		Name: "OTEL_SDK_DISABLED", Default: "false",
		Meaning: "`true` sends no traces.",
		parse:   boolean(func(c *Config) *bool { return &c.Trace.disabled }),
	},
	{
		Name: "OTEL_PROPAGATORS", Default: "baggage,tracecontext",
		Meaning: "Headers in which the trace of a request may come: `tracecontext` (always included), `baggage`, " +
			"`b3`, `b3multi`, `jaeger`; or `none` for no header at all.",
		parse: propagators([]string{"tracecontext", "baggage", "b3", "b3multi", "jaeger", propagatorNone}),
	},
	{
		Name: "OTEL_EXPORTER_SERVICE", Default: "`OPENTRACING_SERVICE`", derive: none,
		Meaning: "Name of the service in traces. `OTEL_SERVICE_NAME` takes precedence over it.",
		parse:   textOf(serviceName),
	},
	{
		Name: "OPENTRACING_SERVICE", Default: "`TSURU_APPNAME`", derive: none,
		Meaning: "Another name for `OTEL_EXPORTER_SERVICE`.",
		parse:   textOf(serviceName),
	},
	{
		Name: "TSURU_APPNAME", Default: "functions",
		Meaning: "Another name for `OTEL_EXPORTER_SERVICE`.",
		parse:   textOf(serviceName),
	},
	{
		Name: "HOSTNAME", Default: "localhost",
		Meaning: "The attribute `service.instance.id` of traces.",
		parse:   text(func(c *Config) *string { return &c.Trace.Instance }),
	},
	{
		Name: "TRACE_ENGINE", Default: "opentracing",
		Meaning: "`opentelemetry` disables `OPENTRACING_ENGINE`. The spans are the same.",
		parse:   oneOfOr("opentracing", func(c *Config) *string { return &c.Trace.engine }, "opentracing", "opentelemetry"),
	},
	{
		Name: "OPENTRACING_ENGINE", Default: "none", derive: none,
		Meaning: "`jaeger` sends traces, reads Jaeger's headers in requests and puts them on answers " +
			"(`uber-trace-id`). `none`, and anything else with a warning, does nothing.",
		parse: oneOfOr("none", func(c *Config) *string { return &c.Trace.opentracing }, "jaeger", "none", "no-op"),
	},
	{
		Name: "JAEGER_PROPAGATION", Default: "jaeger",
		Meaning: "`b3` uses the headers `X-B3-…` instead of Jaeger's.",
		parse:   oneOfOr("jaeger", func(c *Config) *string { return &c.Trace.propagation }, "jaeger", "b3"),
	},
	{
		Name: "JAEGER_AGENT_HOST", Default: "none", derive: none,
		Meaning: "With `OPENTRACING_ENGINE=jaeger` and no other collector, the Jaeger host to send to, by OTLP on " +
			"port 4317.",
		parse: host(func(c *Config) *string { return &c.Trace.jaegerHost }),
	},
}

// serviceName sets the name unless an earlier variable has done so.
func serviceName(c *Config, text string) error {
	if c.Trace.Service == "" {
		c.Trace.Service = text
	}
	return nil
}
