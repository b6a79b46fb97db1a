package invoke

import (
	"errors"
	"io"
	"time"

	"github.com/backstage/functions/sandbox"
)

// StreamEnd says how a streamed answer ended.
type StreamEnd string

// The ends of streams.
const (
	StreamFinished StreamEnd = "finished" // it is whole
	StreamCaller   StreamEnd = "caller"   // its caller left, was too slow, or needed no more than the head
	StreamUnread   StreamEnd = "unread"   // its caller took nothing for too long
	StreamRoom     StreamEnd = "room"     // its caller took nothing, and others needed the room of its worker
	StreamIdle     StreamEnd = "idle"     // nothing came for too long
	StreamTotal    StreamEnd = "total"    // it took too long as a whole
	StreamDied     StreamEnd = "died"     // its worker died
	StreamFailed   StreamEnd = "failed"   // the function threw
)

// Streamed tells of a streamed answer that has ended.
type Streamed struct {
	End StreamEnd
	// Sent is how many bytes the caller took, FirstByte the time from the begin of the call in its worker until the first
	// ones were there; 0 when none came.
	Sent      int64
	FirstByte time.Duration
}

// watchHead is onHead, and tells the recorder of the stream that begins. Begun is set then.
func (v *Invoker) watchHead(
	onHead func(sandbox.StreamHead) (io.Writer, error),
	begun *bool,
) func(sandbox.StreamHead) (io.Writer, error) {
	return func(head sandbox.StreamHead) (io.Writer, error) {
		*begun = true
		v.recorder.StreamBegun()
		return onHead(head)
	}
}

// streamedOf tells how a stream ended that had begun.
func streamedOf(result *sandbox.Result, err error) Streamed {
	stats := StatsOf(result, err)
	return Streamed{End: endOf(err), Sent: stats.Sent, FirstByte: stats.FirstByte}
}

// byCaller says whether it is its caller's fault that it is not whole.
func (e StreamEnd) byCaller() bool { return e == StreamCaller || e == StreamUnread || e == StreamRoom }

func endOf(err error) StreamEnd {
	if err == nil {
		return StreamFinished
	}
	if _, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		return StreamFailed
	}
	death, ok := errors.AsType[*sandbox.DeathError](err)
	switch {
	case !ok || death.Reason == sandbox.ReasonCanceled:
		return StreamCaller
	case death.Reason == sandbox.ReasonStreamUnread:
		return StreamUnread
	case death.Reason == sandbox.ReasonEvicted:
		return StreamRoom
	case death.Reason == sandbox.ReasonStreamIdle:
		return StreamIdle
	case death.Reason == sandbox.ReasonStreamLimit:
		return StreamTotal
	}
	return StreamDied
}
