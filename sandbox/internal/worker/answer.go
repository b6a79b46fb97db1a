package worker

import (
	"context"
	"errors"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// truncated is the last line of logs that reached their limit, with its line break. The runner sends it; one that sends
// more is broken.
const truncated = "[output truncated]\n"

var (
	errLogs    = errors.New("more logs than allowed")
	errSpans   = errors.New("more spans than were asked for")
	errNotices = errors.New("more notices of progress than were asked for")
	errPending = errors.New("pending twice")
	errLate    = errors.New("work after the answer that there may not be")
)

// readAnswer reads the frames of a call until its last, and says of an answer in pieces what has been sent.
func (e *exchange) readAnswer(ctx context.Context) (Answer, error) {
	answer, err := e.readFrames(ctx)
	if e.stream != nil {
		answer.Streamed = &e.stream.Streamed
	}
	return answer, err
}

func (e *exchange) readFrames(ctx context.Context) (Answer, error) {
	logged, spans, notices, waited := 0, 0, 0, false
	for began := false; ; began = true {
		if err := e.flush(); err != nil {
			return Answer{}, err
		}
		frame, err := e.frames.Next(e.id)
		switch {
		case err != nil && !began:
			return Answer{}, e.failedUnanswered(err)
		case err != nil:
			return Answer{}, e.process.failed(err)
		}
		switch frame.Type {
		case wire.Log:
			if logged += len(frame.Text) + len("\n"); logged > e.process.cfg.Limits.Logs+len(truncated) {
				return Answer{}, e.process.failed(errLogs)
			}
			e.call.Events.Log(frame.Level, frame.Text)
		case wire.Span:
			if spans++; !e.call.Spans || spans > wire.MaxSpans+1 {
				return Answer{}, e.process.failed(errSpans)
			}
			e.call.Events.Span(frame)
		case wire.Progress:
			if notices++; e.call.Queued == nil || notices > wire.MaxProgress {
				return Answer{}, e.process.failed(errNotices)
			}
			e.call.Events.Progress(frame)
		case wire.Pending:
			if waited {
				return Answer{}, e.process.failed(errPending)
			}
			e.mainReturned(ctx)
			waited = true
		case wire.Head:
			if err := e.beginStream(ctx, frame, waited); err != nil {
				return Answer{}, err
			}
		case wire.Chunk:
			if err := e.forward(frame.Bytes); err != nil {
				return Answer{}, err
			}
		default:
			return e.finish(frame, logged, waited)
		}
	}
}

// finish turns the last frame of the call into its answer. A process that has written more after it is not used again.
func (e *exchange) finish(frame *wire.Frame, logged int, waited bool) (Answer, error) {
	if !frame.Last() {
		return Answer{}, e.process.failed(errLate)
	}
	if err := e.checkEnd(frame); err != nil {
		return Answer{}, e.process.failed(err)
	}
	late, err := e.checkLeft(frame, logged)
	if err != nil {
		return Answer{}, e.process.failed(err)
	}
	answer := Answer{
		Frame: frame, Late: late, Waited: waited || frame.Late > 0,
		Reusable: frame.Reusable && (len(e.ids) > 0 || e.frames.Buffered() == 0),
	}
	if frame.Type == wire.Oversize {
		answer.Allowed, answer.OfError = e.allowed(frame.Size)
	}
	return answer, nil
}

// allowed is the limit that an answer of size bytes did not keep to: that of errors when a result may have as many.
func (e *exchange) allowed(size int) (limit int, ofError bool) {
	limits := e.process.cfg.Limits
	if size > limits.Answer {
		return limits.Answer, false
	}
	return limits.wire().Error(), true
}
