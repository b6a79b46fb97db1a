package function

import (
	"iter"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// Options are a function's own settings for its runs. Nil fields were never set: the server's own settings hold. A new
// option is a field here and a row of the table below; requests, answers and stores go by the table.
type Options struct {
	// Runtime is the name of the Node.js to run on.
	Runtime *string
	// MaxInvocations is how many calls one worker may serve; 1 gives each call a process of its own, 0 sets no limit.
	MaxInvocations *int
	// MaxConcurrency is how many calls may run or wait at the same time on one server, 0 for as many as the server's own
	// settings allow.
	MaxConcurrency *int
	// Reuse is ReuseRollback or ReuseWorker; empty stands for the server's own setting.
	Reuse *string
	// AfterAnswer is AfterAnswerFinish or AfterAnswerCut; empty stands for the server's own setting.
	AfterAnswer *string
	// Timeout is the time until the answer, SyncTimeout that until main must have returned; 0 stands for the server's own.
	Timeout, SyncTimeout *time.Duration
	// Memory is the memory of its workers in bytes, CPU what they have of processors; 0 stands for the server's own.
	Memory *int64
	CPU    *float64
	// Globals are GlobalsWeb or GlobalsClassic; empty stands for the latter.
	Globals *string
	// Body is BodyJSON, BodyRaw or BodyAuto; empty stands for the first one.
	Body *string
	// Init is InitOnce or InitEach; empty stands for the latter.
	Init *string
	// State is StateWorker or StateCall; empty stands for the latter.
	State *string
	// Warmup is a request that workers which are put back serve before their snapshot; the zero value, and nil, has none.
	Warmup *Warmup
	// Access is AccessPublic, AccessJWT or AccessKey; empty stands for the last one.
	Access *string
	// Rate is how many of its calls may begin in a time, Quotas what they may use in a day, both on all servers together;
	// the zero value stands for the server's own.
	Rate   *usage.Rate
	Quotas *usage.Quotas
	// CORS says which pages of other sites may call it from a browser; the zero value, and nil, lets none.
	CORS *CORS
	// WebSocket says whether the server holds WebSocket connections for it; the zero value, and nil, says no.
	WebSocket *WebSocket
	// Retries say how often asynchronous calls are tried; nil stands for the defaults.
	Retries *Retries
	// Idempotency is IdempotencySync or IdempotencyAsync; empty stands for the latter.
	Idempotency *string
	// Callback says where the ends of asynchronous calls are told; the zero value, and nil, is nowhere.
	Callback *Callback
	// Secrets are the names of those that its calls get; the zero value, and nil, has none.
	Secrets *SecretNames
}

// What a call finds in a worker that has served others: what they have left in it, as far as it was not compared, or
// the worker as it was before the first of them.
const (
	ReuseWorker   = "worker"
	ReuseRollback = "rollback"
)

// What becomes of requests and promises that a call has begun and that are not over at its answer: they may finish
// within the call's own deadline, or they are cut. Where the server cuts, it does so for every function.
const (
	AfterAnswerFinish = "finish"
	AfterAnswerCut    = "cut"
)

// What the code of a function finds beside the language: what the original had, or what the web platform and Node.js
// have, as far as the runtime has it.
const (
	GlobalsClassic = "classic"
	GlobalsWeb     = "web"
)

// When the top-level code of a function runs: with each call, or once in the life of a worker.
const (
	InitEach = "each"
	InitOnce = "once"
)

// How long what a call keeps is there: until its end where workers are put back, or for later calls of the function in
// the same worker, which is not put back then and runs the top-level code once.
const (
	StateCall   = "call"
	StateWorker = "worker"
)

// Who may run a function of a server whose callers have keys: those whose role allows it, or in addition who has a
// token of an issuer, or anybody.
const (
	AccessKey    = "key"
	AccessJWT    = "jwt"
	AccessPublic = "public"
)

// For which calls an idempotency key counts: for all that are made by the name or a route of the function, or for
// asynchronous ones alone.
const (
	IdempotencySync  = "sync"
	IdempotencyAsync = "async"
)

// How the body of a request reaches the function: JSON as the original has it, the bytes that were sent, or JSON where
// it is that by its type and bytes else.
const (
	BodyJSON = "json"
	BodyRaw  = "raw"
	BodyAuto = "auto"
)

// AllOptions is the table of them, in the order in which answers show them.
var AllOptions = []Option{
	text("runtime", func(o *Options) **string { return &o.Runtime }),
	count("maxInvocations", func(o *Options) **int { return &o.MaxInvocations }),
	count("maxConcurrency", func(o *Options) **int { return &o.MaxConcurrency }),
	choice("reuse", func(o *Options) **string { return &o.Reuse }, ReuseRollback, ReuseWorker),
	choice("afterAnswer", func(o *Options) **string { return &o.AfterAnswer }, AfterAnswerFinish, AfterAnswerCut),
	period("timeout", func(o *Options) **time.Duration { return &o.Timeout }),
	period("syncTimeout", func(o *Options) **time.Duration { return &o.SyncTimeout }),
	size("memory", func(o *Options) **int64 { return &o.Memory }),
	amount("cpu", func(o *Options) **float64 { return &o.CPU }),
	choice("globals", func(o *Options) **string { return &o.Globals }, GlobalsWeb, GlobalsClassic),
	choice("body", func(o *Options) **string { return &o.Body }, BodyRaw, BodyAuto, BodyJSON),
	choice("init", func(o *Options) **string { return &o.Init }, InitEach, InitOnce),
	choice("state", func(o *Options) **string { return &o.State }, StateWorker, StateCall),
	warmup("warmup", func(o *Options) **Warmup { return &o.Warmup }),
	choice("access", func(o *Options) **string { return &o.Access }, AccessPublic, AccessKey, AccessJWT),
	rate("rate", func(o *Options) **usage.Rate { return &o.Rate }),
	quotas("quotas", func(o *Options) **usage.Quotas { return &o.Quotas }),
	cors("cors", func(o *Options) **CORS { return &o.CORS }),
	webSocket("websocket", func(o *Options) **WebSocket { return &o.WebSocket }),
	retries("retries", func(o *Options) **Retries { return &o.Retries }),
	choice("idempotency", func(o *Options) **string { return &o.Idempotency }, IdempotencySync, IdempotencyAsync),
	callback("callback", func(o *Options) **Callback { return &o.Callback }),
	secretNames("secrets", func(o *Options) **SecretNames { return &o.Secrets }),
}

// AccessOr is Access, or AccessKey when that is not set.
func (o *Options) AccessOr() string {
	if o.Access == nil || *o.Access == "" {
		return AccessKey
	}
	return *o.Access
}

// LearnsCaller says whether the function learns who calls it: one that names AccessKey or AccessJWT does.
func (o *Options) LearnsCaller() bool {
	return o.Access != nil && *o.Access != AccessPublic && *o.Access != ""
}

// OptionOf is the row of the table with that name, nil if there is none.
func OptionOf(name string) *Option {
	for i := range AllOptions {
		if AllOptions[i].Name == name {
			return &AllOptions[i]
		}
	}
	return nil
}

// OptionNames are the names of all options, in their order.
func OptionNames() []string {
	names := make([]string, len(AllOptions))
	for i := range AllOptions {
		names[i] = AllOptions[i].Name
	}
	return names
}

// Given yields the options that are set, in their order, each with its value as text.
func (o Options) Given() iter.Seq2[*Option, string] {
	return func(yield func(*Option, string) bool) {
		for i := range AllOptions {
			if value, ok := AllOptions[i].get(&o); ok && !yield(&AllOptions[i], value) {
				return
			}
		}
	}
}

// Over returns o with the fields that it lacks taken from stored.
func (o Options) Over(stored Options) Options {
	for option, value := range o.Given() {
		option.set(&stored, value)
	}
	return stored
}
