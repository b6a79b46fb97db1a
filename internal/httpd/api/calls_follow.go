package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
)

const (
	// linesWait is how long lines of a call are waited for until its state is looked at again.
	linesWait = time.Second
	// lastLinesWait is how long the last lines of a call that has ended are waited for: they are stored in the background.
	lastLinesWait = 300 * time.Millisecond
)

// wantsEvents says whether the caller asks for server-sent events.
func wantsEvents(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), contentTypeEvents)
}

// followCall sends the record with each change of it as an event, until the call is settled, and, to those who may read
// the output of its function, the lines of the call.
func (s *server) followCall(w http.ResponseWriter, r *http.Request, ref function.Ref, id string) error {
	ctx, leave, err := s.joinFollowers(r, ref)
	if err != nil {
		return err
	}
	defer leave()
	var kept *queue.Kept
	c, err := s.Calls.Get(ctx, ref, id)
	if errors.Is(err, queue.ErrNotFound) {
		kept, err = s.findKept(r, ref, id)
	}
	if err != nil {
		return fmt.Errorf("follow call %s of %s: %w", id, ref, err)
	}
	after, err := s.linesAfter(r, c)
	if err != nil {
		return err
	}
	events, err := newEventStream(w)
	if err != nil {
		return fmt.Errorf("follow call %s of %s: %w", id, ref, err)
	}
	defer events.end()
	if kept != nil { // it has ended
		_ = events.sendState(keptJSON(kept)) // the stream ends in any case
		return nil
	}
	f := &callFollower{server: s, ref: ref, id: id, events: events, ended: make(chan struct{})}
	err = f.run(ctx, after, s.showsLines(r, ref.Namespace))
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errOutnumbered):
		events.sendFailure(outcome.Of(errOutnumbered).Message)
	case errors.Is(cause, errKeyEnded):
		events.sendFailure("The key is not valid any more")
	case err != nil && ctx.Err() == nil:
		s.logFailure(r, slog.LevelWarn, "Following a call ended", err)
		events.sendFailure(outcome.Of(err).Message)
	}
	return nil
}

// showsLines says whether the caller of r sees what functions of the namespace print.
func (s *server) showsLines(r *http.Request, namespace string) bool {
	_, all := s.seesKept(r, namespace)
	return s.Logs != nil && all
}

// linesAfter is the place after which the lines of a call are: where the caller has gone, or when the call was put.
func (s *server) linesAfter(r *http.Request, c *queue.Call) (after function.LogCursor, err error) {
	if last := r.Header.Get(headerLastEvent); last != "" {
		if after, err = function.ParseLogCursor(last); err != nil {
			return after, outcome.BadRequest("Last-Event-ID is " + err.Error())
		}
		return after, nil
	}
	if c != nil {
		after.Millis = uint64(max(c.Created.UnixMilli()-1, 0))
	}
	return after, nil
}

// callFollower sends the states of a call and its lines.
type callFollower struct {
	*server
	ref function.Ref
	id  string

	mu     sync.Mutex // for events
	events *eventStream
	ended  chan struct{} // is closed once the call is settled
}

// run sends the states, and the lines too where lines says so, until the call is settled. No state waits for lines:
// some may come after the last one.
func (f *callFollower) run(ctx context.Context, after function.LogCursor, lines bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var reading sync.WaitGroup
	if lines {
		reading.Go(func() { f.sendLines(ctx, after) })
	}
	see := func(c *queue.Call) error { return f.send(func() error { return f.events.sendState(callJSON(c)) }) }
	idle := func() error { return f.send(func() error { return f.events.sendLines(ctx, nil) }) }
	err := f.Calls.Watch(ctx, f.ref, f.id, see, idle, heartbeat)
	if err != nil {
		cancel()
	}
	close(f.ended)
	reading.Wait()
	return err
}

func (f *callFollower) send(what func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return what()
}

// sendLines sends the lines of the call that come after a place, until it is settled and none have come for a moment.
// Without the store there are none: the states tell of that.
func (f *callFollower) sendLines(ctx context.Context, after function.LogCursor) {
	for {
		wait, last := linesWait, false
		select {
		case <-f.ended:
			wait, last = lastLinesWait, true
		default:
		}
		lines, err := f.Logs.AwaitLog(ctx, f.ref, after, followStep, wait)
		if err != nil || ctx.Err() != nil || last && len(lines) == 0 {
			return
		}
		if len(lines) == 0 {
			continue
		}
		after = lines[len(lines)-1].Cursor
		if f.send(func() error { return f.events.sendLinesOf(lines, f.owns) }) != nil {
			return
		}
	}
}

// owns says whether a line is of an attempt of the call. Who waits for an answer may choose the same request ID.
func (f *callFollower) owns(line *function.LogLine) bool {
	rest, ok := strings.CutPrefix(line.RequestID, f.id)
	return ok && line.Queued && (rest == "" || rest[0] == '-')
}

// sendState sends a record as an event.
func (e *eventStream) sendState(record []byte) error {
	return e.send(append(append([]byte("event: state\ndata: "), record...), "\n\n"...))
}

// sendLinesOf sends an event for each line that is wanted.
func (e *eventStream) sendLinesOf(lines []function.LogLine, wanted func(*function.LogLine) bool) error {
	var text []byte
	for i := range lines {
		if wanted(&lines[i]) {
			text = appendEvent(append(text, "event: line\n"...), &lines[i])
		}
	}
	if len(text) == 0 {
		return nil
	}
	return e.send(text)
}
