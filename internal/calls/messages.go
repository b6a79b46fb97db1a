package calls

import (
	"context"
	"time"
)

// channel is where servers tell each other of calls: a letter, and the ID of the call. A message that is lost delays:
// every server looks at the store by itself, too.
const channel = "calls"

// The messages.
const (
	heardQueued    = 'q' // there is something to take
	heardSettled   = 's' // a record has changed
	heardCancelled = 'c' // a call was cancelled
)

// tellTimeout bounds a message, which is only a hint.
const tellTimeout = time.Second

func (e *Engine) tell(ctx context.Context, what byte, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	_, _ = e.Queue.Publish(ctx, channel, append([]byte{what}, id...)) // see channel
}

// hear takes a message of a server, this one included.
func (e *Engine) hear(message []byte) {
	if len(message) == 0 {
		return
	}
	id := string(message[1:])
	switch message[0] {
	case heardQueued:
		e.poke()
	case heardCancelled:
		e.cancelHere(id)
		e.waiters.wake(id)
	case heardSettled:
		e.waiters.wake(id)
	}
}

// cancelHere kills the worker of a call that runs here.
func (e *Engine) cancelHere(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for lease, r := range e.running {
		if lease.ID == id {
			r.cancel(errCancelled)
		}
	}
}
