package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// eventTimeout is how long a follower may take to read what it is sent before it is given up.
const eventTimeout = 30 * time.Second

// eventStream sends server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html):
//
//	retry: 1000                     once: milliseconds until a browser connects again
//
//	id: 1767225600000-0             a line; the caller's Last-Event-ID when it comes again
//	data: {"id":"1767225600000-0",…}
//
//	: nothing new                   a comment, so that the connection is seen to live
//
//	event: failure                  the stream ends here, not for good
//	data: {"error":"…"}
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limiter limiter
	buffer  []byte
}

// newEventStream begins an answer of events. The deadlines that the server has for requests do not hold for it: what it
// sends has one of its own, each time anew.
func newEventStream(w http.ResponseWriter) (*eventStream, error) {
	e := &eventStream{w: w, control: http.NewResponseController(w)}
	if err := e.control.SetReadDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("api: events: read deadline: %w", err)
	}
	h := w.Header()
	h.Set(headerType, contentTypeEvents)
	h.Set(headerCache, "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	_ = e.send([]byte("retry: 1000\n\n")) // the next one fails too
	return e, nil
}

// sendLines sends an event for each line, a comment when there are none.
func (e *eventStream) sendLines(ctx context.Context, lines []function.LogLine) error {
	if len(lines) == 0 {
		return e.send([]byte(": nothing new\n\n"))
	}
	text := e.buffer
	for n := 0; len(lines) > 0; lines = lines[n:] {
		var err error
		if text, n, err = e.limiter.part(ctx, text[:0], lines, eventPart, appendEvent); err != nil {
			return err
		}
		if err := e.write(text); err != nil {
			return err
		}
	}
	if cap(text) <= maxEventBuffer {
		e.buffer = text
	}
	return e.control.Flush()
}

func appendEvent(dst []byte, line *function.LogLine) []byte {
	dst = append(append(dst, "id: "...), line.Cursor.String()...)
	return append(appendLogLine(append(dst, "\ndata: "...), line), "\n\n"...)
}

const (
	// eventPart is how many bytes of events make a write.
	eventPart = 16 << 10
	// maxEventBuffer is the largest buffer that a follower keeps while nothing happens.
	maxEventBuffer = 64 << 10
)

// sendFailure tells why no more events come.
func (e *eventStream) sendFailure(message string) {
	o := rawjson.NewObject(nil)
	o.String("error", message)
	_ = e.send(append(append([]byte("event: failure\ndata: "), o.End()...), "\n\n"...)) // the stream ends in any case
}

// send writes text and has all of it sent now.
func (e *eventStream) send(text []byte) error {
	if err := e.write(text); err != nil {
		return err
	}
	return e.control.Flush()
}

func (e *eventStream) write(text []byte) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil {
		return err
	}
	_, err := e.w.Write(text)
	return err
}

// end lets the connection serve other requests.
func (e *eventStream) end() { _ = e.control.SetWriteDeadline(time.Time{}) }
