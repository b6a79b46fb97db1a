package config

import (
	"strconv"

	"github.com/backstage/functions/internal/httpd/body"
)

const maxPort = 1<<16 - 1

// serverVariables are about the HTTP listeners and the machine.
var serverVariables = []Variable{
	{
		Name: fileVariable, Default: "none", derive: none,
		Meaning: "File with more variables, in [this form](#the-file). The environment takes precedence over it. " +
			"SIGHUP reads it again.",
		parse: text(func(c *Config) *string { return &c.File }),
	},
	{
		Name: "HOST", Default: "all addresses", derive: none,
		Meaning: "Address to listen on. With `127.0.0.1` only this machine reaches the server. While it is not set and " +
			"`AUTH` is `off`, callers that are not on this machine are answered 403: [protected " +
			"mode](isolation.md#protected-mode). `0.0.0.0` or `::` listens on all addresses for everybody.",
		parse: host(func(c *Config) *string { return &c.Host }),
	},
	{
		Name: "PORT", Default: "8100",
		Meaning: "Port of the HTTP API; 0 takes any free port.",
		parse:   leading(0, maxPort, func(c *Config) *int { return &c.Port }),
	},
	{
		Name: "RUN_HOST", Default: "`HOST`",
		Meaning: "Address on which `RUN_PORT` listens.",
		parse:   host(func(c *Config) *string { return &c.RunHost }),
		derive:  func(c *Config, _ machine) string { return c.Host },
	},
	{
		Name: "RUN_PORT", Default: "none", derive: none,
		Meaning: "A second port for the callers of functions: it serves [runs, pipelines, batches, " +
			"asynchronous calls, routes and probes](http-api.md#run_port) and nothing that shows or " +
			"changes a function, so it may be public while `PORT` is not; 0 takes any free port.",
		parse: optional(
			whole(0, maxPort, func(c *Config) *int { return &c.RunPort }),
			func(c *Config) *bool { return &c.Run },
		),
	},
	{
		Name: "METRICS_HOST", Default: "`HOST`",
		Meaning: "Address on which the metrics port listens. While neither it nor `HOST` is set, callers that are not on " +
			"this machine are answered 403, but for `/livez` and `/readyz`. `0.0.0.0` lets Prometheus in from elsewhere.",
		parse:  host(func(c *Config) *string { return &c.MetricsHost }),
		derive: func(c *Config, _ machine) string { return c.Host },
	},
	{
		Name: "METRICS_PORT", Default: "8101",
		Meaning: "Port of `/metrics`, `/livez` and `/readyz`; 0 takes any free port.",
		parse:   leading(0, maxPort, func(c *Config) *int { return &c.MetricsPort }),
	},
	{
		Name: "METRICS_FUNCTIONS", Default: "all",
		Meaning: "How metrics tell functions apart: `all` has up to 45 series for each function, `namespace` as " +
			"many for each namespace, `off` only the CPU time of each namespace. A scrape with 10,000 functions " +
			"is 47 MB of text before compression.",
		parse: oneOf(func(c *Config) *string { return &c.MetricsFunctions }, "all", "namespace", "off"),
	},
	{
		Name: "PPROF", Default: "false",
		Meaning: "`true` serves Go's profiles of the server under `/debug/pprof/` on the metrics port, and adds " +
			"all metrics of Go's runtime to `/metrics`. Profiles show the server's memory and take CPU time: do " +
			"not expose that port.",
		parse: boolean(func(c *Config) *bool { return &c.PProf }),
	},
	{
		Name: "USE_NODE_CLUSTER", Default: "true",
		Meaning: "`false` turns the metrics port off. It has no other effect.",
		parse:   booleanOr(func(c *Config) *bool { return &c.Metrics }),
	},
	{
		Name: "NUM_CPUS", Default: "the processors of the machine or container",
		Meaning: "Processors that the server plans with: the defaults of `POOL_ACTIVE` and `POOL_PREWARMED` " +
			"depend on it. 1 also removes the process ID from log lines.",
		parse:  leading(1, 1024, func(c *Config) *int { return &c.NumCPUs }),
		derive: func(_ *Config, m machine) string { return strconv.Itoa(m.cpus) },
	},
	{
		Name: "BODY_PARSER_LIMIT", Default: "1mb",
		Meaning: "Largest request body after decompression, in bytes or with a unit: `b`, `kb`, `mb`, `gb`.",
		parse:   size(1, gib, func(c *Config) *int64 { return &c.BodyLimit }),
	},
	{
		Name: "BODY_PARSER_DEPTH", Default: strconv.Itoa(body.DefaultDepth),
		Meaning: "How deep objects and arrays in a request body may nest; a body that nests deeper is answered " +
			"400.",
		parse: whole(1, body.MaxDepth, func(c *Config) *int { return &c.BodyDepth }),
	},
	{
		Name: "RESPONSE_LIMIT", Default: "8mb",
		Meaning: "Largest answer of a function with its headers, in bytes or with a unit; a larger one is " +
			"answered 500 `output_limit`. The server needs up to one and a half times as much memory for each " +
			"call that is answering, the function's worker (`WORKER_MEMORY_LIMIT`) a few times as much. At most " +
			"`HTTP_ANSWER_MEMORY`.",
		parse: size(64*kib, 256*mib, func(c *Config) *int64 { return &c.ResponseLimit }),
	},
}
