package calls

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

// Defaults of Options.
const (
	DefaultLease       = 30 * time.Second
	DefaultPoll        = time.Second
	DefaultResultLimit = 8 << 20
)

// Queue keeps calls: store.Calls, and store.Messages between servers. It must be safe for concurrent use.
type Queue interface {
	PutCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (queue.Placed, error)
	TakeCalls(
		ctx context.Context, server string, most int, lease time.Duration,
	) (taken []*queue.Call, next time.Duration, err error)
	RenewCalls(ctx context.Context, renewals []queue.Renewal, lease time.Duration) (lost []queue.Lease, err error)
	SettleCall(ctx context.Context, s *queue.Settlement) (queue.Status, error)
	CancelCall(ctx context.Context, ref function.Ref, id string) error
	RedriveCall(ctx context.Context, ref function.Ref, id string) error
	GetCall(ctx context.Context, ref function.Ref, id string) (*queue.Call, error)
	CallResult(ctx context.Context, ref function.Ref, id string) ([]byte, error)
	ListCalls(ctx context.Context, q *queue.Query) (queue.Page, error)
	GetCallback(ctx context.Context, ref function.Ref, id string) (*queue.Call, error)
	RedriveCallback(ctx context.Context, ref function.Ref, id string) error
	HoldKey(ctx context.Context, h *queue.Hold, limits queue.Limits) (queue.Holding, error)
	RenewKey(ctx context.Context, of queue.HoldOf, lease time.Duration) error
	AnswerKey(ctx context.Context, of queue.HoldOf, answer []byte, limits queue.Limits) (kept bool, err error)
	KeyAnswer(ctx context.Context, of queue.HoldOf) ([]byte, error)
	FreeKey(ctx context.Context, of queue.HoldOf) error
	ForgetKey(ctx context.Context, ref function.Ref, key string) error

	Publish(ctx context.Context, to string, message []byte) (heard bool, err error)
	Subscribe(ctx context.Context, names []string, receive func(message []byte))
}

// Invoker runs functions; *invoke.Invoker is one.
type Invoker interface {
	Run(ctx context.Context, call invoke.Call) (*sandbox.Result, error)
	// Step runs one step of a pipeline.
	Step(ctx context.Context, c invoke.StepCall) (invoke.Stepped, error)
}

// Observer is told what becomes of calls. Its methods must be safe for concurrent use.
type Observer interface {
	// CallPlaced is told of each put: "queued", "existing" for one with the idempotency key of another, or "refused".
	CallPlaced(how string)
	// CallStarted is told how long a call was due before it was taken.
	CallStarted(waited time.Duration)
	// CallSettled is told what the end of a take has made of its call: one of queue.Statuses, "back" when it did not
	// start, "next" when a step of a pipeline succeeded that others follow, or "lost".
	CallSettled(how string)
	// PipelineRun is told of each pipeline that ends here: the status of its answer, and how long its attempts ran.
	PipelineRun(status int, took time.Duration)
	// KeyUsed is told of each request with an idempotency key whose caller waits: "held", "replayed", "running", "reused"
	// or "refused", and of an answer that could not be stored: "lost".
	KeyUsed(how string)
}

// Load is what an Engine does.
type Load struct {
	// Running counts the calls that run here, those included whose result is being stored. Executing are those that have
	// a worker, or are about to.
	Running, Executing int
	// Due says that calls are known to wait in the store that may start.
	Due bool
}

// Options configure an Engine. Queue, Invoker and Spare are required.
type Options struct {
	Queue   Queue
	Invoker Invoker
	// Spare is how many calls could start now without delaying any other. It must be safe for concurrent use.
	Spare func(Load) int
	// Server names this server in records. Empty stands for the name of the host.
	Server string
	// Limits bound the calls that are in the store.
	Limits queue.Limits
	// Lease is how long a server that does not answer keeps its calls. 0 stands for DefaultLease.
	Lease time.Duration
	// Poll is how often the store is asked when nothing says that there is something to take. 0 stands for DefaultPoll.
	Poll time.Duration
	// ResultLimit is the longest answer that a function may stream into a record, in bytes. 0 stands for
	// DefaultResultLimit.
	ResultLimit int
	// KeptLimit is the longest answer that is kept, in bytes. 0 stands for ResultLimit.
	KeptLimit int
	// Ended is called when there may be a callback to send. It must be safe for concurrent use. It may be nil.
	Ended func()
	// Observer may be nil.
	Observer Observer
	// Logger may be nil.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Server == "" {
		o.Server, _ = os.Hostname() // an unknown host has no name in records
	}
	o.Lease = cmp.Or(o.Lease, DefaultLease)
	o.Poll = cmp.Or(o.Poll, DefaultPoll)
	o.ResultLimit = cmp.Or(o.ResultLimit, DefaultResultLimit)
	o.KeptLimit = cmp.Or(o.KeptLimit, o.ResultLimit)
	if o.Ended == nil {
		o.Ended = func() {}
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

type unobserved struct{}

func (unobserved) CallPlaced(string)              {}
func (unobserved) CallStarted(time.Duration)      {}
func (unobserved) CallSettled(string)             {}
func (unobserved) PipelineRun(int, time.Duration) {}
func (unobserved) KeyUsed(string)                 {}
