package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
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
	places, err := placesOf(r.Header.Get(headerLastEvent), ref, c)
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
	f := &callFollower{server: s, ref: ref, id: id, events: events, places: places, ended: make(chan struct{})}
	f.shows = func(of function.Ref) bool { return s.showsLines(r, of.Namespace) }
	err = f.run(ctx)
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

// callFollower sends the states of a call and its lines.
type callFollower struct {
	*server
	ref   function.Ref
	id    string
	shows func(function.Ref) bool // whether the caller may see the lines of that function

	mu     sync.Mutex // for events, places and step
	events *eventStream
	places linePlaces
	step   int           // that of the call, from 0
	ended  chan struct{} // is closed once the call is settled
}

// run sends the states, and the lines of the functions that have begun, until the call is settled. No state waits for
// lines: some may come after the last one.
func (f *callFollower) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var reading sync.WaitGroup
	begun := 0 // so many functions
	see := func(c *queue.Call) error {
		for ; begun < f.places.reached(c); begun++ {
			if i := begun; f.shows(f.places.of[i].ref) {
				reading.Go(func() { f.sendLines(ctx, i) })
			}
		}
		return f.send(func() error {
			f.step = c.Step
			return f.events.sendState(callJSON(c))
		})
	}
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

// sendState sends a record as an event.
func (e *eventStream) sendState(record []byte) error {
	return e.send(append(append([]byte("event: state\ndata: "), record...), "\n\n"...))
}
