package config

import (
	"errors"
	"regexp"
	"strconv"
	"time"
)

// functionsVariables are about what functions may do.
var functionsVariables = []Variable{
	{
		Name: "CODE_SYNC_TIMEOUT", Default: "100",
		Meaning: "CPU time until `main` must have returned, and for the trial run of new code: milliseconds, or a " +
			"duration with its unit such as `1s`. At most ten times as much wall-clock time may pass. Loading code is " +
			"not counted, up to a second for each MiB of it.",
		parse: millis(time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.SyncTimeout }),
	},
	{
		Name: "CODE_ASYNC_TIMEOUT", Default: "5000",
		Meaning: "Time until a function must have answered: milliseconds, or a duration with its unit such as " +
			"`30s`.",
		parse: millis(time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.AsyncTimeout }),
	},
	{
		Name: "STREAM_IDLE_TIMEOUT", Default: "1m",
		Meaning: "Longest time without the next bytes of a streamed answer while its caller waits for them; the answer is " +
			"cut off then.",
		parse: duration(time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.StreamIdle }),
	},
	{
		Name: "STREAM_TIMEOUT", Default: "15m",
		Meaning: "Longest time from the head of a streamed answer to its end, after which it is cut off; `0s` sets no " +
			"limit. Once the head is sent, this and `STREAM_IDLE_TIMEOUT` replace `CODE_ASYNC_TIMEOUT`.",
		parse: duration(0, 7*day, func(c *Config) *time.Duration { return &c.StreamTotal }),
	},
	{
		Name: "STREAM_UNREAD_TIMEOUT", Default: "10s",
		Meaning: "Longest time for which a caller may read nothing of its streamed answer while there is something to " +
			"read; the answer is cut off then. After a second of that it gives way to calls that need its worker's room. " +
			"`HTTP_WRITE_TIMEOUT` applies as well.",
		parse: duration(time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.StreamUnread }),
	},
	{
		Name: "FUNCTION_TIMEOUT_MAX", Default: "`CODE_ASYNC_TIMEOUT`",
		Meaning: "Longest `timeout` that a function may have; what is stored with a longer one runs with this. A longer " +
			"one holds a worker for as long.",
		parse:  duration(time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.FunctionTimeoutMax }),
		derive: func(c *Config, _ machine) string { return max(c.AsyncTimeout, time.Millisecond).String() },
	},
	{
		Name: "FUNCTION_SYNC_TIMEOUT_MAX", Default: "`CODE_SYNC_TIMEOUT`",
		Meaning: "Longest `syncTimeout` that a function may have; what is stored with a longer one runs with this. A " +
			"longer one holds a processor for as long.",
		parse:  duration(time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.FunctionSyncTimeoutMax }),
		derive: func(c *Config, _ machine) string { return max(c.SyncTimeout, time.Millisecond).String() },
	},
	{
		Name: "CODE_LIMIT", Default: "8mb",
		Meaning: "Most bytes of the files of a function together, and of what is built of them; more is answered 413. " +
			"`BODY_PARSER_LIMIT` is for other bodies, and for a function that is sent as `code`.",
		parse: size(1, 64*mib, func(c *Config) *int64 { return &c.CodeLimit }),
	},
	{
		Name: "BUILD_CONCURRENCY", Default: "`NUM_CPUS`",
		Meaning: "How many functions of files are built at the same time; 64 more deploys wait, others are " +
			"answered 503. Owners of namespaces share both. A build takes up to one processor.",
		parse:  whole(1, 1024, func(c *Config) *int { return &c.BuildConcurrency }),
		derive: func(c *Config, _ machine) string { return strconv.Itoa(max(c.NumCPUs, 1)) },
	},
	{
		Name: "BUILD_MEMORY_LIMIT", Default: "512mb",
		Meaning: "Memory of each build, with the files that it unpacks; one that takes more is answered 413. About 40 " +
			"packages fit into the default, several SDKs of clouds in one function do not.",
		parse: size(64*mib, 16*gib, func(c *Config) *int64 { return &c.BuildMemory }),
	},
	{
		Name: "PIPELINE_MAX_STEPS", Default: "100",
		Meaning: "Most steps of a pipeline; a pipeline with more is answered 400.",
		parse:   whole(1, 1000, func(c *Config) *int { return &c.PipelineMaxSteps }),
	},
	{
		Name: "PIPELINE_TIMEOUT", Default: "1m, or `CODE_ASYNC_TIMEOUT` if that is longer",
		Meaning: "Longest time after the start of a pipeline in which its steps may begin; after that it is " +
			"answered 408. A step that is running then has the time that every call has.",
		parse:  duration(time.Millisecond, day, func(c *Config) *time.Duration { return &c.PipelineTimeout }),
		derive: func(c *Config, _ machine) string { return max(time.Minute, c.AsyncTimeout).String() },
	},
	{
		Name: "TZ", Default: "that of `/etc/localtime`",
		Meaning: "Time zone that functions see, a name of the time zone database such as `America/Sao_Paulo`. A function's " +
			"own variable `TZ` " +
			"takes precedence over it ([more](operations.md#time-zones)).",
		parse:  zone(func(c *Config) *string { return &c.TimeZone }),
		derive: func(_ *Config, m machine) string { return m.zone.name },
	},
	{
		Name: "DEFAULT_GLOBAL_MODULES", Default: "lodash,async,request,uuid,node-fetch",
		Meaning: "Modules that functions may require, separated by commas. The cookie jars of `request` know the " +
			"public suffixes of 2022.",
		parse: list(checkModule, "@scope/a.b/c", "../x", func(c *Config) *[]string { return &c.Modules }),
	},
	{
		Name: "MODULES_DIR", Default: "none", derive: none,
		Meaning: "Directory with a `node_modules` of your own. Modules are looked for there first, then next to " +
			"the runner. Functions can read all of it.",
		parse: text(func(c *Config) *string { return &c.ModulesDir }),
	},
	{
		Name: "RESPONSE_NOT_ALLOWED_FIELDS", Default: "CLIENT_SECRET",
		Meaning: "Names of functions' own variables, separated by commas, that no answer shows; functions see " +
			"them.",
		parse: list(checkEnvName, "a b", "a\x00", func(c *Config) *[]string { return &c.HiddenEnv }),
	},
}

// moduleName is a module of Node.js or of npm, or a file of one.
var moduleName = regexp.MustCompile(`^(node:)?(@[A-Za-z0-9~_.-]+/)?` +
	`[A-Za-z0-9~_-][A-Za-z0-9~_.-]*(/[A-Za-z0-9~_-][A-Za-z0-9~_.-]*)*$`)

func checkModule(name string) error {
	if len(name) > maxText || !moduleName.MatchString(name) {
		return errors.New("is not the name of a module")
	}
	return nil
}

func checkEnvName(name string) error {
	if checkText(name) != nil {
		return errors.New("is not the name of a variable")
	}
	return nil
}
