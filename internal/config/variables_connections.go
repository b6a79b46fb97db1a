package config

import "time"

// connectionsVariables are about the connections of callers, and how they end.
var connectionsVariables = []Variable{
	{
		Name: "MAX_CONNECTIONS", Default: "10000",
		Meaning: "Most connections of callers at any time; more wait until one has ended, unanswered and at no cost to the others. 0 sets no limit.",
		parse:   whole(0, 1_000_000, func(c *Config) *int { return &c.MaxConnections }),
	},
	{
		Name: "HTTP_HEADER_TIMEOUT", Default: "10s",
		Meaning: "Longest time that a caller may take to send the headers of a request.",
		parse:   duration(100*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.HTTP.Header }),
	},
	{
		Name: "HTTP_READ_TIMEOUT", Default: "1m",
		Meaning: "Longest time that a caller may take to send a whole request.",
		parse:   duration(100*time.Millisecond, day, func(c *Config) *time.Duration { return &c.HTTP.Read }),
	},
	{
		Name: "HTTP_WRITE_TIMEOUT", Default: "30s",
		Meaning: "Longest time that a caller may take for each 64 KiB of an answer.",
		parse:   duration(100*time.Millisecond, day, func(c *Config) *time.Duration { return &c.HTTP.Write }),
	},
	{
		Name: "HTTP_IDLE_TIMEOUT", Default: "2m",
		Meaning: "Longest time that a connection may stay open without a request.",
		parse:   duration(100*time.Millisecond, day, func(c *Config) *time.Duration { return &c.HTTP.Idle }),
	},
	{
		Name: "HTTP_HEADER_LIMIT", Default: "128kb",
		Meaning: "Largest request headers, in bytes or with a unit; above it, and a little room that Go adds, a request is answered 431.",
		parse:   size(kib, 16*mib, func(c *Config) *int64 { return &c.HTTP.HeaderLimit }),
	},
	{
		Name: "CANCEL_ON_DISCONNECT", Default: "false",
		Meaning: "`true` ends the run of a caller who has hung up, and its process with it. Else it goes on to its end, as it did in the original: " +
			"it may have begun something. A call that still waits for a worker is given up in any case, and so are the steps of a pipeline " +
			"that have not begun.",
		parse: boolean(func(c *Config) *bool { return &c.CancelOnDisconnect }),
	},
	{
		Name: "SHUTDOWN_DELAY", Default: "0s",
		Meaning: "Time after SIGTERM in which new connections are still taken, so that a load balancer can find out that this server is about to end.",
		parse:   duration(0, time.Hour, func(c *Config) *time.Duration { return &c.ShutdownDelay }),
	},
	{
		Name: "SHUTDOWN_TIMEOUT", Default: "`QUEUE_TIMEOUT`, `CODE_ASYNC_TIMEOUT` and 5 seconds",
		Meaning: "Longest time, after that, for calls that run or wait to be answered. What is left then is cut off.",
		parse:   duration(time.Millisecond, day, func(c *Config) *time.Duration { return &c.ShutdownTimeout }),
		derive: func(c *Config, _ machine) string {
			return (c.QueueTimeout + c.AsyncTimeout + 5*time.Second).String()
		},
	},
}
