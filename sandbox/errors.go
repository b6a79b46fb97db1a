package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/backstage/functions/sandbox/internal/worker"
)

// Errors of Invoke that say nothing about the function. Both are worth a retry elsewhere or later.
var (
	// ErrBusy means that no worker came free in time, or that the queue was full at once.
	ErrBusy = errors.New("sandbox: no free worker")
	// ErrClosed means that the pool is closing or closed.
	ErrClosed = errors.New("sandbox: closed")
	// ErrUnsupported means that this host cannot give what was asked of it.
	ErrUnsupported = worker.ErrUnsupported
	// ErrUnknownRuntime means that no Node.js of the name asked for is configured.
	ErrUnknownRuntime = errors.New("sandbox: unknown runtime")
	// ErrTooLarge means that the call does not fit into one frame.
	ErrTooLarge = worker.ErrTooLarge
	// ErrStream means that the function streams its answer, and that the Invocation has no OnHead. The worker is ended.
	ErrStream = worker.ErrStream
)

// RuntimeError is an ErrUnknownRuntime that says which.
type RuntimeError struct {
	// Name is that of the runtime asked for, Known are those that there are.
	Name  string
	Known []string
}

func (e *RuntimeError) Error() string {
	return fmt.Sprintf("%v %q: there are %s", ErrUnknownRuntime, e.Name, strings.Join(e.Known, ", "))
}

// Is makes the error match ErrUnknownRuntime.
func (e *RuntimeError) Is(target error) bool { return target == ErrUnknownRuntime }

// BusyCause says why a call got no worker.
type BusyCause string

// The causes of ErrBusy.
const (
	// BusyQueueFull: as many calls waited as may.
	BusyQueueFull BusyCause = "queue_full"
	// BusyQueueTimeout: none came free within the queue timeout.
	BusyQueueTimeout BusyCause = "queue_timeout"
	// BusyExpectedWait: the calls before it would have taken longer than it could wait, so it was refused at once.
	BusyExpectedWait BusyCause = "expected_wait"
	// BusyNested: a function called another one while no worker was free that would not be awaited by a call that holds
	// one.
	BusyNested BusyCause = "nested_call"
	// BusyTooDeep: calls of functions by functions were nested more than MaxDepth deep.
	BusyTooDeep BusyCause = "nested_too_deep"
)

// BusyError is an ErrBusy that says why.
type BusyError struct {
	Cause BusyCause
	// RetryAfter is how long the calls that wait now take at least; 0 when nothing is known of them.
	RetryAfter time.Duration
}

func (e *BusyError) Error() string { return ErrBusy.Error() + ": " + string(e.Cause) }

// Is makes the error match ErrBusy.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// FunctionError is an error that the function itself threw or answered with.
type FunctionError struct {
	// Status is the error's statusCode, or 500.
	Status int
	// HasStatus says whether the error carried a statusCode of its own.
	HasStatus bool
	// Message is the error's text for the caller.
	Message string
	// Text is String(error), such as "TypeError: x is not a function".
	Text string
	// Stack is the error's whole stack as V8 wrote it; empty when it has none.
	Stack string
	// Frames is the part of Stack that lies in the function's own file, one "at fn (ns/id.js:LINE)" a line.
	Frames string
	// Header holds headers that were applied before the answer failed; usually empty.
	Header []HeaderField
	Stats
}

func (e *FunctionError) Error() string { return e.Text }

// StreamError is the failure of a call whose answer was a stream that had begun: the caller has its head, and perhaps a
// part of its bytes, so that nothing else can be answered any more. The call may have had effects and is never made
// again.
type StreamError struct {
	// Err is why there are no more: a *FunctionError that the function threw, whose Status and Header say nothing, a
	// *DeathError, or the error of OnHead or of its writer, after which the worker was ended.
	Err error
	// Stats.Sent is how many bytes the writer has taken.
	Stats
}

func (e *StreamError) Error() string {
	return fmt.Sprintf("sandbox: stream ended after %d bytes: %v", e.Sent, e.Err)
}

func (e *StreamError) Unwrap() error { return e.Err }

// Reason says why a worker died or had to be killed.
type Reason = worker.Reason

// The reasons of death.
const (
	// ReasonSyncDeadline: main did not return within the sync timeout.
	ReasonSyncDeadline Reason = worker.SyncDeadline
	// ReasonDeadline: no answer within the async timeout.
	ReasonDeadline Reason = worker.Deadline
	// ReasonStreamIdle: a streamed answer went on with nothing within the idle timeout, while its caller waited.
	ReasonStreamIdle Reason = worker.StreamIdle
	// ReasonStreamLimit: a streamed answer had not come to its end within the stream timeout.
	ReasonStreamLimit Reason = worker.StreamLimit
	// ReasonStreamUnread: the caller took nothing of a streamed answer within the unread timeout.
	ReasonStreamUnread Reason = worker.StreamUnread
	// ReasonMemory: the kernel killed it at the memory limit of its cgroup.
	ReasonMemory Reason = worker.Memory
	// ReasonServerMemory: it was killed although it kept to its own limit: all workers together, or the machine, had no
	// memory left, or nearly none and its group used the most.
	ReasonServerMemory Reason = worker.ServerMemory
	// ReasonHeap: V8 gave up at the limit of its own heap.
	ReasonHeap Reason = worker.Heap
	// ReasonExit: it exited by itself.
	ReasonExit Reason = worker.Exit
	// ReasonSignal: a signal that we did not send ended it.
	ReasonSignal Reason = worker.Signal
	// ReasonSyscall: the system-call filter ended it.
	ReasonSyscall Reason = worker.Syscall
	// ReasonProtocol: it wrote something that is not the protocol.
	ReasonProtocol Reason = worker.Protocol
	// ReasonOutput: its answer or its logs were larger than allowed.
	ReasonOutput Reason = worker.Output
	// ReasonIdleActivity: it used a processor between two calls. A call sees it when no other worker was found for it.
	ReasonIdleActivity Reason = worker.IdleActivity
	// ReasonAfterAnswer: work that the call had left at its answer was not over at the deadline of the call.
	ReasonAfterAnswer Reason = worker.AfterAnswer
	// ReasonCanceled: the caller went away, or did not take a streamed answer.
	ReasonCanceled Reason = worker.Canceled

	// The reasons of a planned end, seen by observers only.
	ReasonRetired Reason = worker.Retired // served its share, or left work behind
	ReasonEvicted Reason = worker.Evicted // idle, at work after an answer or in an unread stream; its slot was needed
	ReasonIdle    Reason = worker.Idle    // idle for too long
	ReasonClosed  Reason = worker.Closed  // the pool is closing
)

// DeathError means that the worker died before it had answered. The call may have had effects.
type DeathError struct {
	Reason Reason
	// ExitCode and Signal tell how the process ended; Signal is empty when it exited.
	ExitCode int
	Signal   string
	// Detail is more evidence for the log, such as the end of what it wrote to stderr. It may hold text of the
	// function's; it never goes into an answer.
	Detail string
	// Answer is how many bytes the answer would have had that was too large, with its headers, and Allowed how many it may
	// have; 0 when nothing is known of them, such as when it was not the answer that was too large.
	Answer, Allowed int
	// OfError says that this answer was an error, which may have less than another one.
	OfError bool
	// Memory is the limit, in bytes, when it was the Memory of the Invocation; 0 when it was that of the Config, or the
	// Reason is another.
	Memory int64
	// Lag is the time from the deadline until the process was dead; 0 when no deadline killed it.
	Lag time.Duration
	Stats
	// untouched says that the worker had read nothing of its call.
	untouched  bool
	noSnapshot bool // a worker that is rolled back could not get its snapshot: nothing of the call has happened
	unprepared bool // the same, because of what the code has done before the snapshot
	warmup     bool // and that was the warmup
}

func (e *DeathError) Error() string {
	return (&worker.Death{Reason: e.Reason, ExitCode: e.ExitCode, Signal: e.Signal, Detail: e.Detail}).Error()
}
