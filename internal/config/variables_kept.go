package config

import "time"

// Kept says how much output of functions is kept for reading.
type Kept struct {
	// Lines is the number of lines of each function, FUNCTION_LOGS_KEPT; 0 turns it off. MaxLine is the most bytes of one
	// line, FUNCTION_LOGS_MAX_LINE.
	Lines   int
	MaxLine int
	// Memory and Namespace are FUNCTION_LOGS_MEMORY and FUNCTION_LOGS_NAMESPACE_MEMORY, in bytes. TTL is
	// FUNCTION_LOGS_TTL.
	Memory    int64
	Namespace int64
	TTL       time.Duration
}

// keptVariables are about the output of functions that can be read.
var keptVariables = []Variable{
	{
		Name: "FUNCTION_LOGS_KEPT", Default: "1000",
		Meaning: "Lines of output of each function that are kept and served by `/functions/:ns/:id/logs`; 0 keeps " +
			"none.",
		parse: whole(0, 10_000, func(c *Config) *int { return &c.Kept.Lines }),
	},
	{
		Name: "FUNCTION_LOGS_MAX_LINE", Default: "4096",
		Meaning: "Bytes of one kept line; a longer line is cut and ends in `[line truncated]`.",
		parse:   whole(64, 1<<16, func(c *Config) *int { return &c.Kept.MaxLine }),
	},
	{
		Name: "FUNCTION_LOGS_MEMORY", Default: "64mb",
		Meaning: "Memory for the kept lines of all functions, in Redis or in the server. When it is full, the " +
			"namespace with the most loses lines: of its functions, the one that has printed nothing for longest " +
			"loses its oldest lines first.",
		parse: memory(mib, tib, func(c *Config) *int64 { return &c.Kept.Memory }),
	},
	{
		Name: "FUNCTION_LOGS_NAMESPACE_MEMORY", Default: "16mb",
		Meaning: "The part of `FUNCTION_LOGS_MEMORY` that one namespace may take in Redis.",
		parse:   memory(mib, tib, func(c *Config) *int64 { return &c.Kept.Namespace }),
	},
	{
		Name: "FUNCTION_LOGS_TTL", Default: "168h",
		Meaning: "Time after which Redis drops the kept lines of a function that prints nothing more, such as `24h`.",
		parse:   duration(time.Second, 3650*day, func(c *Config) *time.Duration { return &c.Kept.TTL }),
	},
}
