package sockets

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

const (
	// mostFailures is how many calls for messages of one socket may fail one after the other.
	mostFailures = 3
	// mostTries is how often a call for an event is tried that the server has no room for.
	mostTries = 5
	// longestPause is the longest one between two of them.
	longestPause = 5 * time.Second
)

// enqueue has the function called for e once it was for what came before. It waits for room, and says whether e is
// in the queue: after a decision that the socket ends only the event of that is.
func (s *Socket) enqueue(e Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e.Kind != EventClose {
		if s.as != nil {
			return false
		}
		if len(s.queue) < mostQueued {
			break
		}
		s.full = true
		s.room.Wait()
		s.full = false
	}
	s.queue = append(s.queue, e)
	if !s.calling {
		s.calling = true
		s.hub.work.Go(s.call)
	}
	return true
}

// call calls the function for the events in the queue, and ends when there are no more.
func (s *Socket) call() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.queue, s.calling = nil, false
			s.mu.Unlock()
			return
		}
		e := s.queue[0]
		s.queue[0] = Event{}
		s.queue = s.queue[1:]
		s.room.Signal()
		s.mu.Unlock()
		if e.Kind == EventClose {
			s.callLast(e)
			return
		}
		s.callFor(e)
		s.lease.Shrink(len(e.Data))
	}
}

// callLast calls the function for the end of the socket, and forgets the socket.
func (s *Socket) callLast(e Event) {
	defer s.hub.forget(s)
	release, err := s.hub.closers.acquire(s.hub.life, s.owner)
	if err != nil {
		return
	}
	defer release()
	if _, err := s.try(e); err != nil && !isGone(err) {
		s.hub.counts.failed.Add(1)
	}
}

// callFor calls the function for a message, and sends its answer.
func (s *Socket) callFor(e Event) {
	result, err := s.try(e)
	if err == nil {
		s.failed = 0
		s.reply(result)
		return
	}
	s.hub.counts.failed.Add(1)
	switch {
	case s.hub.life.Err() != nil:
	case isGone(err):
		s.end(endDeleted)
	case outcome.Of(err).Retry:
		s.end(endBusy)
	default:
		if s.failed++; s.failed >= mostFailures {
			s.end(endFailed)
		}
	}
}

// isGone says whether a call has failed since there is no such function.
func isGone(err error) bool { return isMissing(err) }

// try calls the function, again when there was no room for it.
func (s *Socket) try(e Event) (result *sandbox.Result, err error) {
	s.calls++
	encoded := len(e.Data)/3*4 + 4 // for the frame in which a worker gets it
	if !s.lease.Grow(encoded) {
		return nil, ErrMemory
	}
	defer s.lease.Shrink(encoded)
	call := invoke.Call{
		ID: s.ID + "-" + strconv.Itoa(s.calls), URI: s.opening.URI, Ref: s.ref, Request: s.opening.Request(e),
		Key: s.opening.Key, Via: "websocket",
	}
	ctx := s.hub.life
	if s.opening.Nesting.Depth > 0 {
		ctx = invoke.WithNesting(ctx, s.opening.Nesting)
	}
	for tries := 1; ; tries++ {
		result, err = s.hub.o.Invoker.Run(ctx, call)
		if err == nil || tries == mostTries {
			return result, err
		}
		o := outcome.Of(err)
		if !o.Retry || !wait(s.hub.life, min(max(o.RetryAfter, 100*time.Millisecond), longestPause)) {
			return nil, err
		}
	}
}

// wait says whether ctx did not end within that time.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// reply sends what the function has answered to a message, if it has answered with something.
func (s *Socket) reply(result *sandbox.Result) {
	m := MessageOf(result)
	if m == nil {
		return
	}
	if err := s.send(m); err != nil {
		s.hub.counts.dropped.Add(1)
	}
}

// MessageOf is the message that an answer of a function stands for, nil if it is none: JSON and bytes whose type is
// text are text. An answer that says by its status that something is wrong is none.
func MessageOf(result *sandbox.Result) *Message {
	switch {
	case result.Status >= http.StatusMultipleChoices:
		return nil
	case len(result.Body) > 0:
		return NewMessage(result.Body, false)
	case len(result.Bytes) > 0:
		return NewMessage(result.Bytes, !hasText(result.Header))
	}
	return nil
}

// hasText says whether the headers of an answer say that it is text.
func hasText(header []sandbox.HeaderField) bool {
	for _, field := range header {
		if strings.EqualFold(field.Name, "Content-Type") {
			media := strings.ToLower(field.Value)
			return strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "application/json")
		}
	}
	return false
}
