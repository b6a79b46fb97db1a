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
		Meaning: "File of further variables, in [this form](#the-file). What the environment sets takes precedence over it. SIGHUP reads it again.",
		parse:   text(func(c *Config) *string { return &c.File }),
	},
	{
		Name: "HOST", Default: "all addresses", derive: none,
		Meaning: "Address to listen on, such as `127.0.0.1`: then only this machine reaches the server.",
		parse:   host(func(c *Config) *string { return &c.Host }),
	},
	{
		Name: "PORT", Default: "8100",
		Meaning: "Port of the HTTP API; 0 takes any free one.",
		parse:   leading(0, maxPort, func(c *Config) *int { return &c.Port }),
	},
	{
		Name: "METRICS_HOST", Default: "`HOST`",
		Meaning: "Address on which the metrics port listens.",
		parse:   host(func(c *Config) *string { return &c.MetricsHost }),
		derive:  func(c *Config, _ machine) string { return c.Host },
	},
	{
		Name: "METRICS_PORT", Default: "8101",
		Meaning: "Port on which `/metrics`, `/livez` and `/readyz` are served; 0 takes any free one.",
		parse:   leading(0, maxPort, func(c *Config) *int { return &c.MetricsPort }),
	},
	{
		Name: "METRICS_FUNCTIONS", Default: "all",
		Meaning: "Which metrics tell functions apart: `all` has up to 45 series for each function, `namespace` as many for each namespace, `off` none " +
			"but the processor time of each namespace. " +
			"A scrape with 10,000 functions is 47 MB of text before it is compressed.",
		parse: oneOf(func(c *Config) *string { return &c.MetricsFunctions }, "all", "namespace", "off"),
	},
	{
		Name: "PPROF", Default: "false",
		Meaning: "`true` serves Go's profiles of the server under `/debug/pprof/` on the metrics port, and adds all metrics of Go's runtime to " +
			"`/metrics`. Profiles show the server's inner life and cost time to take: keep the port to yourself.",
		parse: boolean(func(c *Config) *bool { return &c.PProf }),
	},
	{
		Name: "USE_NODE_CLUSTER", Default: "true",
		Meaning: "`false` turns the metrics port off. It has no other effect.",
		parse:   booleanOr(func(c *Config) *bool { return &c.Metrics }),
	},
	{
		Name: "NUM_CPUS", Default: "the processors of the machine or container",
		Meaning: "Processors to make use of: the measure of the defaults of `POOL_ACTIVE` and `POOL_PREWARMED`. " +
			"1 also takes the process ID out of log lines.",
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
		Meaning: "How deep objects and arrays in a request body may nest; a deeper one is answered 400.",
		parse:   whole(1, body.MaxDepth, func(c *Config) *int { return &c.BodyDepth }),
	},
	{
		Name: "RESPONSE_LIMIT", Default: "8mb",
		Meaning: "Largest answer of a function with its headers, in bytes or with a unit; a larger one is answered 500 `output_limit`. The server holds up " +
			"to one and a half times as much for each call that is answering, and the function's worker, in `WORKER_MEMORY_LIMIT`, a few " +
			"times as much. At most `HTTP_ANSWER_MEMORY`.",
		parse: size(64*kib, 256*mib, func(c *Config) *int64 { return &c.ResponseLimit }),
	},
}
