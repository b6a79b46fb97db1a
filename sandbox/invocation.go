package sandbox

import (
	"encoding/json"
	"io"
	"time"
)

// Kind says what a worker does with the code of an Invocation.
type Kind uint8

// The kinds of invocation.
const (
	// Run runs the top-level code and calls main(req, res).
	Run Kind = iota
	// Check runs the top-level code alone, to learn whether it can be stored. Its Result has no body.
	Check
	// compile runs nothing: V8 compiles the code, and the result's body is what it can load instead of doing that again, a
	// JSON string of base64.
	compile
)

// Invocation is one call of one function. It is read, never changed, by the pool. Its JSON texts are checked before a
// worker gets them: see Validate and MarkValid.
type Invocation struct {
	// ID names the call in frames, logs and traces. It must be unique among the calls in flight.
	ID string
	// Kind is Run for a call and Check for a trial run.
	Kind Kind
	// Key binds a worker: two invocations may share a worker only when their keys are equal, so a key must stand for
	// exactly one function, its code and its runtime.
	Key string
	// Group is the function's namespace.
	Group string
	// Owner is the unit between which workers, the queue and processors are shared; empty stands for Group.
	Owner string
	// Depth is how many calls of this server wait for this one, each in its worker: 0 for a call from outside.
	Depth int
	// Filename is the name of the code in stack frames, such as "namespace/id.js".
	Filename string
	// Code is the function's source.
	Code string
	// Compiled holds what V8 has made of Code; nil has every worker compile it anew.
	Compiled *Compiled
	// Env is the function's own environment, a JSON object of strings; empty when it has none.
	Env json.RawMessage
	// Secrets is a JSON object of texts that this call alone gets, in Backstage.secrets; empty for none. A trial run gets
	// none. With Once Key must stand for them, too.
	Secrets json.RawMessage
	// Request is what main receives; unused by Check.
	Request Request
	// Outgoing is a JSON object of header names and texts that the call's own HTTP requests carry unless the function sets
	// them, such as traceparent; empty for none. It has an effect with Config.Egress only.
	Outgoing json.RawMessage
	// Runtime is the name of the Node.js to run on, one of Config.Runtimes; empty stands for the first one.
	Runtime string
	// MaxInvocations retires the worker after so many calls, like Config.MaxInvocations; the lower one counts, 0 sets
	// none.
	MaxInvocations int
	// SyncTimeout and AsyncTimeout take the place of those of the Config for this call, be they shorter or longer; 0 for
	// those.
	SyncTimeout, AsyncTimeout time.Duration
	// OnHead begins an answer that the function streams: the writer that it returns gets the bytes. Both are called
	// from the goroutine of Invoke, before that returns. While they run the worker waits, and the time does not count
	// as idle: they must have a limit of their own. A writer with a method Flush() error has that called when no more
	// bytes are there for it yet. Where a write lasts, other methods of it are called from another goroutine: Taken()
	// uint64, if it has that, which grows whenever its reader takes something, and Cut(), which has the write fail
	// because the worker has died. The end of the context that a method Context() context.Context of it returns ends
	// the worker. An error of any of them ends the worker, and Invoke returns it in a *StreamError. A nil OnHead makes
	// a streamed answer ErrStream.
	OnHead func(StreamHead) (io.Writer, error)
	// StreamIdle, StreamTotal and StreamUnread take the place of those of the Config for this call, be they shorter or
	// longer; 0 for those.
	StreamIdle, StreamTotal, StreamUnread time.Duration
	// Memory, in bytes, and CPU, in processors, take the place of those of Config.Limits for the worker that is bound by
	// this call; 0 for those. Where they have no effect, New has said so in its Report. Key must stand for them, too.
	// V8's heap grows beyond that of Config.Limits for what Config.LargestMemory allows.
	Memory int64
	CPU    float64
	// Web gives the code the globals of the web platform; Once has its top-level code run once in the life of a worker and
	// not with each call. Key must stand for both, too.
	Web, Once bool
	// Fetches says that the code is likely to use fetch: its workers then come from a fork server that has loaded what
	// fetch needs, where the runtime has it. Key must stand for it, too.
	Fetches bool
	// Rollback has the call find its worker as it was when it had loaded and compiled the code and served nobody: no call
	// sees anything of another one. After each call the worker is put back, or ended where that cannot be proved. Where
	// the host lacks what it takes (RuntimeSnapshot.Rollback), each call gets a worker of its own, as with MaxInvocations
	// 1. With Once the top-level code has run before the snapshot: every call finds what it has left and nothing of
	// another call; where a snapshot must not have that, such as a timer, each call gets a worker of its own, too. Key
	// must stand for it.
	Rollback bool
	// Warmup, if it is set, is served by each worker before its snapshot. It has an effect with Rollback only. Key must
	// stand for it, too.
	Warmup *Warmup
	// Detached lets a call that has got its worker go on although its context ends, as the caller of a function with
	// effects may want; else the worker is killed then. A streamed answer ends with the context in any case.
	Detached bool
	// CutAfterAnswer ends the requests and promises that the call has begun with its answer. Else they may go on until the
	// deadline of the call, in its worker, unless a call that waits needs the room.
	CutAfterAnswer bool
	// Background has the call use, of processors that are scarce, what calls without it leave: see behind.go. Without
	// cgroups it has no effect.
	Background bool
	// Queued says of a call that nobody waits for which one it is; nil for others. The function sees it, and may tell how
	// far it is: OnProgress, which may be nil, receives that as OnLog does lines.
	Queued     *Queued
	OnProgress func(Progress)
	// OnLate receives the lines that the function prints after its answer, as OnLog does those before it, but from another
	// goroutine and after Invoke has returned; OnLateEnd is called after the last one. Both may be nil, and neither is
	// called when nothing goes on.
	OnLate    func(LogLine)
	OnLateEnd func()
	// OnLog receives each line that the function prints, in order, from the goroutine that called Invoke and before it
	// returns. Nil discards them.
	OnLog func(LogLine)
	// OnSpan receives each span that the function has timed, when it is over, as OnLog does lines. Nil lets the function's
	// spans cost nothing.
	OnSpan func(Span)

	valid [texts]identity // see MarkValid
}

// Queued is an attempt of a queued call.
type Queued struct {
	// ID names the call, the same for all its attempts. Attempt counts these from 1.
	ID      string
	Attempt int
}

// Progress is how far a call says that it is: a part of 1, and a text of at most 768 bytes.
type Progress struct {
	Part float64
	Text string
}

func (inv *Invocation) owner() string {
	if inv.Owner == "" {
		return inv.Group
	}
	return inv.Owner
}

// Request is the req of main. The three JSON values travel to the function as the text they are.
type Request struct {
	Method string
	// Header is a JSON object of lower-case names and string values.
	Header json.RawMessage
	// Query is a JSON object.
	Query json.RawMessage
	// Body is any JSON value; empty leaves req.body undefined.
	Body json.RawMessage
	// Raw is the body as bytes, where HasRaw is set: it may be empty. There is no Body then.
	Raw    []byte
	HasRaw bool
	// HTTP is a JSON object that tells more of the HTTP request: docs/protocol.md names its members. Empty for nothing.
	HTTP json.RawMessage
	// Auth is a JSON object that says who calls, for req.auth. Empty for nothing.
	Auth json.RawMessage
}

// Result is the answer of a function.
type Result struct {
	// Status is 100 to 999.
	Status int
	// Header holds the headers set by the function, in order, a name more than once for a list of values.
	Header []HeaderField
	// Body is the answer as JSON text; nil when the function answered undefined, or with bytes.
	Body json.RawMessage
	// Bytes is an answer that is bytes; nil when it is not.
	Bytes []byte
	// Streamed says that the answer, status and header included, has gone to OnHead and its writer.
	Streamed bool
	Stats
}

// HeaderField is one header line; neither part holds CR, LF or NUL.
type HeaderField struct{ Name, Value string }

// Stats tells how a call was served. All of it is also known for calls that failed.
type Stats struct {
	// Start says where the worker came from.
	Start StartKind
	// Queue is the time from Invoke until a worker was there, Run the time from the first byte sent to it until its
	// last byte was read.
	Queue time.Duration
	Run   time.Duration
	// Load is the part of Run in which the worker read and compiled the function's code, by the worker's own account and
	// never more than Run; 0 when it had done so before.
	Load time.Duration
	// CPU is the CPU time that the worker used in Run; 0 when its fork server died with it. Of calls that were sent
	// together to a worker that has ended, the first has what was left of its life.
	CPU time.Duration
	// FirstByte is, of a streamed answer, the part of Run until its first bytes were there; 0 when none came. Sent is how
	// many of them the writer has taken.
	FirstByte time.Duration
	Sent      int64

	waited bool // main had returned before the answer was there
}

// StartKind says how a call got its worker.
type StartKind string

// The ways a call gets its worker.
const (
	// StartWarm is a worker that had served this function before.
	StartWarm StartKind = "warm"
	// StartPrewarmed is a worker that stood ready and unbound.
	StartPrewarmed StartKind = "prewarmed"
	// StartCold is a worker that had to be waited for.
	StartCold StartKind = "cold"
)

// LogLine is one line printed by a function.
type LogLine struct {
	// Level is "info" for log, info, dir, time …, and "error" for error, warn and trace.
	Level string
	// Text has no line break; its other control characters are as the function printed them.
	Text string
}
