package config

import (
	"strconv"
	"time"

	"github.com/backstage/functions/sandbox"
)

const maxPoolSize = 10_000

// workersVariables are about the pool and its workers.
var workersVariables = []Variable{
	{
		Name: "ISOLATION", Default: "strict",
		Meaning: "What stands between a worker and the host: `strict` (all layers, or the server does not start), " +
			"`process` (resource limits only), `none` (a process of its own; only for trusted code).",
		parse: oneOf(func(c *Config) *sandbox.Isolation { return &c.Isolation },
			sandbox.IsolationStrict, sandbox.IsolationProcess, sandbox.IsolationNone),
	},
	{
		Name: "WORKER_MEMORY_LIMIT", Default: "128mb",
		Meaning: "Memory of one worker, in bytes or with a unit; at least `32mb`, at most what the machine or container has.",
		parse:   memory(32*mib, tib, func(c *Config) *int64 { return &c.MemoryLimit }),
	},
	{
		Name: "WORKER_CPU_LIMIT", Default: "1",
		Meaning: "Processors of one worker; 0.5 is half of one. If the server's own cgroup has less, that is the " +
			"limit.",
		parse: fraction(0.01, 1024, func(c *Config) *float64 { return &c.CPULimit }),
	},
	{
		Name: "FUNCTION_MEMORY_MAX", Default: "`WORKER_MEMORY_LIMIT`",
		Meaning: "Most memory that each worker of a function may have that asks for it with `memory`, in bytes or with a " +
			"unit; what is stored with more runs with this. A fork server with a larger heap runs while functions use more " +
			"than `WORKER_MEMORY_LIMIT` ([more](operations.md#functions-with-more-memory)).",
		parse:  memory(32*mib, tib, func(c *Config) *int64 { return &c.FunctionMemoryMax }),
		derive: func(c *Config, _ machine) string { return strconv.FormatInt(max(c.MemoryLimit, 32*mib), 10) },
	},
	{
		Name: "FUNCTION_CPU_MAX", Default: "`WORKER_CPU_LIMIT`",
		Meaning: "Most processors that a function may ask for with `cpu`; what is stored with more runs with this.",
		parse:   fraction(0.01, 1024, func(c *Config) *float64 { return &c.FunctionCPUMax }),
		derive: func(c *Config, _ machine) string {
			return strconv.FormatFloat(max(c.CPULimit, 0.01), 'f', -1, 64)
		},
	},
	{
		Name: "WORKER_TMP_SIZE", Default: "16mb",
		Meaning: "Size of each worker's own `/tmp` with `ISOLATION=strict`. Its content counts as the worker's " +
			"memory. 0 gives workers no `/tmp`.",
		parse: size(0, tib, func(c *Config) *int64 { return &c.TmpSize }),
	},
	{
		Name: "WORKER_MAX_INVOCATIONS", Default: "0",
		Meaning: "Calls after which a worker is replaced: 1 gives every call a process of its own, 0 sets no " +
			"limit.",
		parse: whole(0, 1_000_000_000, func(c *Config) *int { return &c.MaxInvocations }),
	},
	{
		Name: "REUSE", Default: "worker",
		Meaning: "How a worker serves the calls of its function. `worker`: one after the other, with a check of what each " +
			"has left behind. `rollback`: after each call it is put back to the state it was in before the first, or ended; " +
			"where `/status/isolation` says that this is not available, each call gets a process of its own. `reuse` of a " +
			"function takes precedence over it.",
		parse: oneOf(func(c *Config) *string { return &c.Reuse }, "worker", "rollback"),
	},
	{
		Name: "ROLLBACK_AUDIT", Default: "10000",
		Meaning: "After one in this many calls, chosen at random, the worker that was put back is compared in full with " +
			"its snapshot. This happens after the answer, and takes tens of milliseconds. 0 turns it off.",
		parse: whole(0, 1_000_000_000, func(c *Config) *int { return &c.RollbackAudit }),
	},
	{
		Name: "AFTER_ANSWER", Default: "finish",
		Meaning: "What happens to requests that a call has begun and not awaited. `finish` lets them finish after " +
			"the answer, in the call's worker and within its deadline, unless a waiting call needs the room. " +
			"`cut` ends them with the answer. If this is `finish`, `afterAnswer` of a function may be `cut`.",
		parse: oneOf(func(c *Config) *string { return &c.AfterAnswer }, "finish", "cut"),
	},
	{
		Name: "WORKER_IDLE_TIMEOUT", Default: "10m",
		Meaning: "Time after which an idle worker is ended, such as `90s` or `10m`.",
		parse:   duration(time.Millisecond, 30*day, func(c *Config) *time.Duration { return &c.IdleTimeout }),
	},
	{
		Name: "POOL_SIZE",
		Default: "one for each 4 MB of 75 % of the memory, as far as the process may have descriptors and tasks for them; " +
			"at least `POOL_ACTIVE`",
		Meaning: "Most workers at any time, and so most calls in progress. `POOL_ACTIVE` limits how many of them " +
			"compute.",
		parse:  whole(1, maxPoolSize, func(c *Config) *int { return &c.PoolSize }),
		derive: func(c *Config, m machine) string { return strconv.Itoa(m.poolSize(c.NumCPUs, c.MemoryLimit)) },
	},
	{
		Name: "POOL_ACTIVE",
		Default: "`POOL_SIZE` where that is set; else 8 for each processor, as far as 75 % of the memory holds their " +
			"`WORKER_MEMORY_LIMIT`, at " +
			"least 2",
		Meaning: "Most workers that may compute at the same time. While calls only wait for something and memory " +
			"is left there are more workers, up to `POOL_SIZE`; all workers together may then take 75 % of the " +
			"memory.",
		parse: whole(1, maxPoolSize, func(c *Config) *int { return &c.PoolActive }),
		derive: func(c *Config, m machine) string {
			if c.isGiven("POOL_SIZE") && c.PoolSize > 0 {
				return strconv.Itoa(c.PoolSize)
			}
			return strconv.Itoa(m.poolActive(c.NumCPUs, c.MemoryLimit))
		},
	},
	{
		Name: "POOL_PREWARMED", Default: "1 for each processor",
		Meaning: "Workers that are kept ready for functions that were not called lately; at most `POOL_SIZE`.",
		parse:   whole(0, maxPoolSize, func(c *Config) *int { return &c.PoolPrewarmed }),
		derive:  func(c *Config, _ machine) string { return strconv.Itoa(min(c.NumCPUs, c.PoolActive)) },
	},
	{
		Name: "POOL_SPARE",
		Default: "one for each 100 MB of the memory, at most a quarter of what `POOL_SIZE` is above `POOL_ACTIVE`; 0 where " +
			"`POOL_PREWARMED` is set",
		Meaning: "Workers that are kept ready for bursts of first calls, beside `POOL_PREWARMED`; both together at most " +
			"`POOL_SIZE`. They are started one after the other while no call waits and a processor is free, and end when " +
			"others need their room or memory is scarce. Each takes some 2 MB. There are none where workers are not forked, " +
			"each of which takes 28 MB.",
		parse: whole(0, maxPoolSize, func(c *Config) *int { return &c.PoolSpare }),
		derive: func(c *Config, m machine) string {
			if c.isGiven("POOL_PREWARMED") {
				return "0"
			}
			return strconv.Itoa(max(min(m.spare(), c.mostSpare()), 0))
		},
	},
	{
		Name: "POOL_RESERVE", Default: "an eighth of `POOL_ACTIVE`, at least 1; 0 where `POOL_ACTIVE` is 1",
		Meaning: "How many of `POOL_ACTIVE`, and as many of `POOL_SIZE` in proportion, are for namespaces that " +
			"have no other worker at that time, so that no namespace can take all; less than `POOL_ACTIVE`. 0 " +
			"lets one namespace take all while nobody else wants one.",
		parse: whole(0, maxPoolSize, func(c *Config) *int { return &c.PoolReserve }),
		derive: func(c *Config, _ machine) string {
			return strconv.Itoa(min(max(c.PoolActive/8, 1), max(c.PoolActive-1, 0)))
		},
	},
	{
		Name: "NAMESPACE_OWNER_SEPARATOR", Default: "none", derive: none,
		Meaning: "Text that ends the name of an owner in the name of a namespace. With `-` the namespaces " +
			"`acme-shop` and `acme-mail` share workers, the queue, processors, kept output and " +
			"`MAX_CONCURRENCY_NAMESPACE` as one, `acme`. Without it each namespace has its own share.",
		parse: text(func(c *Config) *string { return &c.OwnerSeparator }),
	},
	{
		Name: "QUEUE_SIZE", Default: "1000",
		Meaning: "Most calls that may wait for a worker, of all runtimes together. If there are more, calls of " +
			"the namespace with the most are answered 503 at once.",
		parse: whole(0, 1_000_000, func(c *Config) *int { return &c.QueueSize }),
	},
	{
		Name: "QUEUE_TIMEOUT", Default: "10s",
		Meaning: "Longest time that a call waits for a worker before it is answered 503; at once, if the calls " +
			"ahead are known to take longer.",
		parse: duration(time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.QueueTimeout }),
	},
	{
		Name: "MAX_CONCURRENCY_FUNCTION", Default: "0",
		Meaning: "Most calls of one function that may run or wait at the same time on this server; more are " +
			"answered 429. 0 sets no limit. `maxConcurrency` of a function takes precedence over it.",
		parse: whole(0, 1_000_000_000, func(c *Config) *int { return &c.MaxConcurrencyFunction }),
	},
	{
		Name: "MAX_CONCURRENCY_NAMESPACE", Default: "0",
		Meaning: "The same for all functions of one namespace together. `maxConcurrency` of a namespace takes " +
			"precedence over it.",
		parse: whole(0, 1_000_000_000, func(c *Config) *int { return &c.MaxConcurrencyNamespace }),
	},
	{
		Name: "NODE_ICU_DATA", Default: "none", derive: none,
		Meaning: "Directory with ICU's data for `Intl`, such as `icudt60l.dat` of the npm package `icu4c-data` " +
			"for all languages on Node.js 8, which has only English.",
		parse: text(func(c *Config) *string { return &c.ICUData }),
	},
	{
		Name: "RUNNER_DIR", Default: "found by the server", derive: none,
		Meaning: "Directory of the program that runs inside a worker.",
		parse:   text(func(c *Config) *string { return &c.RunnerDir }),
	},
}
