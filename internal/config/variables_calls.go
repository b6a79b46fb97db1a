package config

import (
	"strconv"
	"time"

	"github.com/backstage/functions/internal/egress"
)

// Calls has what holds for asynchronous calls; see the variables CALLS_*.
type Calls struct {
	// Most is how many calls a namespace may have in the store, 0 for none at all; Memory is what they may take, in bytes.
	Most   int
	Memory int64
	// MostOfAll and MemoryOfAll are the same for all namespaces together.
	MostOfAll   int
	MemoryOfAll int64
	// ResultLimit is the longest answer that is kept, in bytes.
	ResultLimit int64
	// Workers is how many may run at a time on this server.
	Workers int
	// Keep is how long the records of calls that succeeded or were cancelled are kept, KeepDead those of dead ones.
	Keep, KeepDead time.Duration
	// Kept says which calls have records whose callers wait for them: see KeepNone and the others. KeptFor is how long
	// these are kept, KeptMost how many of a namespace, and KeptMemory what those of all namespaces may take, in bytes.
	Kept       string
	KeptFor    time.Duration
	KeptMost   int
	KeptMemory int64
	// Lease is how long a server that does not answer keeps its calls.
	Lease time.Duration
	// CallbackHosts are where callers may have the end of a call told, CallbackTimeout is how long that may take.
	CallbackHosts   []egress.Rule
	CallbackTimeout time.Duration
}

// The values of CALLS_KEPT.
const (
	KeepFailures = "failures"
	KeepAll      = "all"
	KeepNone     = "none"
)

// callsVariables are about asynchronous calls.
var callsVariables = []Variable{
	{
		Name: "CALLS_MAX", Default: "10000",
		Meaning: "Most asynchronous calls of a namespace that are in the store at a time, waiting, running and ended. " +
			"Those that have succeeded or were cancelled make room for new ones; with none of them left a caller is " +
			"answered 429. With `AUTH=on`, callers who have no role and call a function that is open to them are answered 429 " +
			"above half of it. 0 turns asynchronous calls off: `Prefer: respond-async` has no effect.",
		parse: whole(0, 10_000_000, func(c *Config) *int { return &c.Calls.Most }),
	},
	{
		Name: "CALLS_MEMORY", Default: "64mb",
		Meaning: "Most memory, in bytes or with a unit, that the asynchronous calls of a namespace take in the store, with " +
			"their requests and answers. Above it a caller is answered 429, as with `CALLS_MAX`.",
		parse: size(mib, tib, func(c *Config) *int64 { return &c.Calls.Memory }),
	},
	{
		Name: "CALLS_MAX_TOTAL", Default: "ten times `CALLS_MAX`",
		Meaning: "Most asynchronous calls of all namespaces that are in the store at a time. Those that have succeeded or " +
			"were cancelled make room, those of the namespace that has the most first. Of the others a namespace may have no " +
			"more than it leaves for other namespaces: above that its callers are answered 429. So one namespace alone can " +
			"have half, and the start warns if that is less than `CALLS_MAX`. Servers that share a Redis see within a second " +
			"what others add.",
		parse:  whole(1, 100_000_000, func(c *Config) *int { return &c.Calls.MostOfAll }),
		derive: func(c *Config, _ machine) string { return strconv.Itoa(max(10*c.Calls.Most, 1)) },
	},
	{
		Name: "CALLS_MEMORY_TOTAL", Default: "eight times `CALLS_MEMORY`",
		Meaning: "Most memory, in bytes or with a unit, that the asynchronous calls of all namespaces take in the store, " +
			"as `CALLS_MAX_TOTAL` is for their number. Give Redis a `maxmemory` above it.",
		parse:  size(mib, tib, func(c *Config) *int64 { return &c.Calls.MemoryOfAll }),
		derive: func(c *Config, _ machine) string { return strconv.FormatInt(min(8*c.Calls.Memory, tib), 10) },
	},
	{
		Name: "CALLS_RESULT_LIMIT", Default: "`RESPONSE_LIMIT`",
		Meaning: "Longest answer of an asynchronous call that is kept, in bytes, or with a unit. Of a longer one, and of " +
			"one for which `CALLS_MEMORY` has no room, the record has the length alone, as `resultDropped`. It holds for " +
			"answers to requests with an `Idempotency-Key`, too.",
		parse:  size(kib, gib, func(c *Config) *int64 { return &c.Calls.ResultLimit }),
		derive: func(c *Config, _ machine) string { return strconv.FormatInt(c.ResponseLimit, 10) },
	},
	{
		Name: "CALLS_WORKERS", Default: "half of `POOL_ACTIVE`, at least 1",
		Meaning: "Most asynchronous calls that run on this server at a time. They start while workers and a " +
			"processor are spare: one that waits in the queue delays no caller.",
		parse:  whole(1, 100_000, func(c *Config) *int { return &c.Calls.Workers }),
		derive: func(c *Config, _ machine) string { return strconv.Itoa(max(c.PoolActive/2, 1)) },
	},
	{
		Name: "CALLS_KEEP", Default: "24h",
		Meaning: "How long the record of an asynchronous call is kept after it has succeeded or was cancelled. It bounds " +
			"the time for which an `Idempotency-Key` counts, which is a day.",
		parse: duration(time.Minute, 365*day, func(c *Config) *time.Duration { return &c.Calls.Keep }),
	},
	{
		Name: "CALLS_KEEP_DEAD", Default: "336h",
		Meaning: "How long the record of an asynchronous call that is dead is kept, to be looked at and redriven.",
		parse:   duration(time.Minute, 365*day, func(c *Config) *time.Duration { return &c.Calls.KeepDead }),
	},
	{
		Name: "CALLS_LEASE", Default: "30s",
		Meaning: "How long a server that is gone, or cannot reach the store, keeps the asynchronous calls that it runs. " +
			"Then another server takes them, and the first one kills their workers. It keeps an `Idempotency-Key` of a call " +
			"whose caller waits for as long.",
		parse: duration(time.Second, time.Hour, func(c *Config) *time.Duration { return &c.Calls.Lease }),
	},
	{
		Name: "CALLS_KEPT", Default: KeepFailures,
		Meaning: "Which calls whose callers wait leave a record, which is read like those of asynchronous calls: " +
			"`failures`, only those that failed; `all`; or `none`. Where many calls end at a time only a sample of them has " +
			"records: of each function the first 50 and then 5 a second, of all functions of a server the first 1000 and then " +
			"200 a second.",
		parse: oneOf(func(c *Config) *string { return &c.Calls.Kept }, KeepFailures, KeepAll, KeepNone),
	},
	{
		Name: "CALLS_KEPT_FOR", Default: "168h",
		Meaning: "How long these records are kept.",
		parse:   duration(time.Minute, 365*day, func(c *Config) *time.Duration { return &c.Calls.KeptFor }),
	},
	{
		Name: "CALLS_KEPT_MAX", Default: "1000",
		Meaning: "Most of these records of a namespace. The oldest ones of the function that has the most make room.",
		parse:   whole(1, 1_000_000, func(c *Config) *int { return &c.Calls.KeptMost }),
	},
	{
		Name: "CALLS_KEPT_MEMORY", Default: "64mb",
		Meaning: "Most memory, in bytes or with a unit, that these records of all namespaces take in the store. The " +
			"namespace with the most makes room, as with `CALLS_KEPT_MAX`.",
		parse: size(mib, tib, func(c *Config) *int64 { return &c.Calls.KeptMemory }),
	},
	{
		Name: "CALLS_CALLBACK_HOSTS", Default: "none", derive: none,
		Meaning: "Hosts that a caller may name in the header `Callback-URL` of an asynchronous call, in the form of " +
			"`EGRESS_ALLOW`. `EGRESS` and what belongs to it apply as well, as to what functions reach. Functions whose " +
			"option `callback` has a URL do not need it.",
		parse: rules(func(c *Config) *[]egress.Rule { return &c.Calls.CallbackHosts }),
	},
	{
		Name: "CALLS_CALLBACK_TIMEOUT", Default: "15s",
		Meaning: "Longest time in which a receiver has to answer a callback. Then it is sent again later.",
		parse: duration(100*time.Millisecond, 5*time.Minute,
			func(c *Config) *time.Duration { return &c.Calls.CallbackTimeout }),
	},
	{
		Name: "BATCH_INPUTS", Default: "10000",
		Meaning: "Most inputs of a batch; what follows them is refused. Each may be as long as `BODY_PARSER_LIMIT`.",
		parse:   whole(1, 10_000_000, func(c *Config) *int { return &c.BatchInputs }),
	},
	{
		Name: "BATCH_PARALLEL", Default: "`POOL_ACTIVE`",
		Meaning: "Most inputs of a batch that run on this server at a time. One runs as any call does; others beside it " +
			"start while workers are spare, so that they delay no caller.",
		parse:  whole(1, 100_000, func(c *Config) *int { return &c.BatchParallel }),
		derive: func(c *Config, _ machine) string { return strconv.Itoa(c.PoolActive) },
	},
}
