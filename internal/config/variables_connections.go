package config

import (
	"strconv"
	"time"
)

// connectionsVariables are about the connections of callers, and how they end.
var connectionsVariables = []Variable{
	{
		Name: "MAX_CONNECTIONS", Default: "10000",
		Meaning: "Most connections of callers at any time to `PORT`, and as many to `RUN_PORT`, as far as the process has " +
			"descriptors for them; 0 sets no other limit. When all are in use, a caller whose address has fewer than others " +
			"takes one of theirs on which no call runs. Otherwise a request is answered 503, unless it is a probe.",
		parse: whole(0, 1_000_000, func(c *Config) *int { return &c.MaxConnections }),
	},
	{
		Name: "METRICS_MAX_CONNECTIONS", Default: "100",
		Meaning: "The same for `METRICS_PORT`.",
		parse:   whole(1, 100_000, func(c *Config) *int { return &c.MetricsMaxConnections }),
	},
	{
		Name: "HTTP_HEADER_TIMEOUT", Default: "10s",
		Meaning: "Longest time for a caller to send the headers of a request.",
		parse:   duration(100*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.HTTP.Header }),
	},
	{
		Name: "HTTP_READ_TIMEOUT", Default: "1m",
		Meaning: "Longest time for a caller to send a whole request.",
		parse:   duration(100*time.Millisecond, day, func(c *Config) *time.Duration { return &c.HTTP.Read }),
	},
	{
		Name: "HTTP_BODY_TIMEOUT", Default: "20s",
		Meaning: "Longest time for a caller to send each 64 KiB of a body, within `HTTP_READ_TIMEOUT`.",
		parse:   duration(100*time.Millisecond, day, func(c *Config) *time.Duration { return &c.HTTP.Body }),
	},
	{
		Name: "HTTP_BODY_MEMORY", Default: "a 32nd of the memory of the machine or container, at most 128mb; but at least " +
			"the larger of 16 times `BODY_PARSER_LIMIT` and six times `CODE_LIMIT`",
		Meaning: "Most memory for requests that are being received or served, beyond 4 KiB for each, in bytes or " +
			"with a unit. Above it a request is answered 503. One address may use up to four fifths of it. A body " +
			"that is to be stored counts three times, because it is parsed.",
		parse: memory(mib, tib, func(c *Config) *int64 { return &c.HTTP.BodyMemory }),
		derive: func(c *Config, m machine) string {
			return strconv.FormatInt(m.share(max(16*c.BodyLimit, 6*c.CodeLimit)), 10)
		},
	},
	{
		Name: "HTTP_ANSWER_MEMORY", Default: "a 32nd of the memory of the machine or container, 64mb to 128mb",
		Meaning: "Most memory for answers of more than 64 KiB that callers have not read yet, in bytes or with a " +
			"unit. Above it callers that do not read at all are cut off.",
		parse:  memory(mib, tib, func(c *Config) *int64 { return &c.HTTP.AnswerMemory }),
		derive: func(_ *Config, m machine) string { return strconv.FormatInt(m.share(64<<20), 10) },
	},
	{
		Name: "HTTP_WRITE_TIMEOUT", Default: "30s",
		Meaning: "Longest time for a caller to read each 64 KiB of an answer; on `METRICS_PORT` a whole answer.",
		parse:   duration(100*time.Millisecond, day, func(c *Config) *time.Duration { return &c.HTTP.Write }),
	},
	{
		Name: "HTTP_IDLE_TIMEOUT", Default: "2m",
		Meaning: "Longest time that a connection stays open without a request.",
		parse:   duration(100*time.Millisecond, day, func(c *Config) *time.Duration { return &c.HTTP.Idle }),
	},
	{
		Name: "HTTP_HEADER_LIMIT", Default: "128kb",
		Meaning: "Largest request headers, in bytes or with a unit. Above it, and a little that Go adds, a " +
			"request is answered 431.",
		parse: size(kib, 16*mib, func(c *Config) *int64 { return &c.HTTP.HeaderLimit }),
	},
	{
		Name: "TLS_CERT_FILE", Default: "none", derive: none,
		Meaning: "File in PEM with the server's certificate, followed by its intermediate certificates. With " +
			"`TLS_KEY_FILE` it makes `PORT` and `RUN_PORT` speak TLS, 1.2 or later. Files that change are read " +
			"again within 10 seconds, and on SIGHUP; if they cannot be used the log says so, and the certificate " +
			"before stays.",
		parse: text(func(c *Config) *string { return &c.TLSCertFile }),
	},
	{
		Name: "TLS_KEY_FILE", Default: "none", derive: none,
		Meaning: "File in PEM with the private key for `TLS_CERT_FILE`.",
		parse:   text(func(c *Config) *string { return &c.TLSKeyFile }),
	},
	{
		Name: "HTTP2", Default: "false",
		Meaning: "`true` has `PORT` and `RUN_PORT` speak HTTP/2 as well: with TLS to callers that choose it by ALPN, " +
			"without TLS to callers that begin with it. Of the requests that run at a time on one connection each " +
			"beyond the first counts in `MAX_CONNECTIONS`; there may be 100.",
		parse: boolean(func(c *Config) *bool { return &c.HTTP2 }),
	},
	{
		Name: "HTTP_COMPRESSION", Default: "false",
		Meaning: "`true` sends text of 1 KiB and more in gzip to callers who accept it. Answers that mix secrets with " +
			"what a caller sends can be guessed by their length then, as any compression over TLS lets them be.",
		parse: boolean(func(c *Config) *bool { return &c.Compression }),
	},
	{
		Name: "WEBSOCKET_CONNECTIONS", Default: "0",
		Meaning: "Most WebSocket connections at any time that the server holds for functions with the option `websocket`; " +
			"0 holds none. They do not count in `MAX_CONNECTIONS`. One address, and the namespaces of one owner, may have " +
			"up to four fifths of them. A caller who finds no place is answered 503.",
		parse: whole(0, 1_000_000, func(c *Config) *int { return &c.WebSocket.Connections }),
	},
	{
		Name: "WEBSOCKET_MESSAGE_LIMIT", Default: "128kb",
		Meaning: "Longest message of a WebSocket connection, either way, in bytes or with a unit; at most " +
			"`BODY_PARSER_LIMIT`. A caller who sends a longer one loses its connection, with code 1009.",
		parse: size(kib, 16*mib, func(c *Config) *int64 { return &c.WebSocket.Message }),
	},
	{
		Name: "WEBSOCKET_SEND_MEMORY", Default: "64mb",
		Meaning: "Most memory for messages that callers of WebSocket connections have not yet taken, in bytes or with a " +
			"unit. Above it a message is refused with 503. Messages that come count in `HTTP_BODY_MEMORY`.",
		parse: memory(mib, tib, func(c *Config) *int64 { return &c.WebSocket.Memory }),
	},
	{
		Name: "WEBSOCKET_IDLE_TIMEOUT", Default: "10m",
		Meaning: "Longest time that a WebSocket connection may carry no message, for functions that ask for no shorter one.",
		parse:   duration(time.Second, 30*day, func(c *Config) *time.Duration { return &c.WebSocket.Idle }),
	},
	{
		Name: "WEBSOCKET_PING_INTERVAL", Default: "30s",
		Meaning: "How often the server sends a ping over each WebSocket connection. A caller who does not answer within as " +
			"long again loses it.",
		parse: duration(100*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.WebSocket.Ping }),
	},
	{
		Name: "CANCEL_ON_DISCONNECT", Default: "false",
		Meaning: "`true` ends the run of a caller that has hung up, and its process with it. Otherwise it goes on " +
			"to its end, as in the original, because it may have had effects. A call that still waits for a " +
			"worker is dropped in any case, and so are the steps of a pipeline that have not begun.",
		parse: boolean(func(c *Config) *bool { return &c.CancelOnDisconnect }),
	},
	{
		Name: "SHUTDOWN_DELAY", Default: "0s",
		Meaning: "Time after SIGTERM in which the server still takes new connections, so that a load balancer can " +
			"notice that it is about to end.",
		parse: duration(0, time.Hour, func(c *Config) *time.Duration { return &c.ShutdownDelay }),
	},
	{
		Name: "SHUTDOWN_TIMEOUT", Default: "`QUEUE_TIMEOUT`, `CODE_ASYNC_TIMEOUT` and 5 seconds",
		Meaning: "Longest time after `SHUTDOWN_DELAY` for calls that run or wait to be answered. What is left " +
			"then is cut off.",
		parse: duration(time.Millisecond, day, func(c *Config) *time.Duration { return &c.ShutdownTimeout }),
		derive: func(c *Config, _ machine) string {
			return (c.QueueTimeout + c.AsyncTimeout + 5*time.Second).String()
		},
	},
}
