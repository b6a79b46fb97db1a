package sandbox

import (
	"io"

	"github.com/backstage/functions/sandbox/internal/wire"
	"github.com/backstage/functions/sandbox/internal/worker"
)

// StreamHead is what an answer begins with that comes in pieces.
type StreamHead struct {
	// Status is 100 to 999.
	Status int
	// Header holds the headers set by the function, as that of a Result does.
	Header []HeaderField
}

// stream is what a worker has the caller of inv take a streamed answer with; nil where it takes none.
func (inv *Invocation) stream() func(head *wire.Frame) (io.Writer, error) {
	if inv.OnHead == nil {
		return nil
	}
	return func(head *wire.Frame) (io.Writer, error) {
		return inv.OnHead(StreamHead{Status: head.Status, Header: headerOf(head)})
	}
}

// outcomeOfStream is the outcome of a call whose answer has begun to go to the writer of OnHead.
func outcomeOfStream(answer *worker.Answer, err error, stats Stats) (*Result, error) {
	streamed := answer.Streamed
	stats.Sent, stats.FirstByte = streamed.Sent, streamed.FirstByte
	result, err := outcomeOfFrame(answer, err, stats)
	if err != nil {
		return nil, &StreamError{Err: err, Stats: stats}
	}
	result.Streamed, result.Status, result.Header = true, streamed.Head.Status, headerOf(streamed.Head)
	return result, nil
}
