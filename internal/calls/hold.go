package calls

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Held is an idempotency key that this server holds for a call whose caller waits. Its methods may be called once, one
// of Answer, Free and Lapse; then Lapse does nothing. They are safe for concurrent use.
type Held struct {
	engine *Engine
	of     queue.HoldOf
	limits queue.Limits

	mu     sync.Mutex  // guards the fields below
	renews *time.Timer // nil once the key is not held any more
}

// Kept is what a key has that another call held before.
type Kept struct {
	// Print is what tells the request of that call from others.
	Print string
	// Ended says that the call has ended. Answer is what it was answered with, nil where that is not kept, or is not for
	// this request.
	Ended  bool
	Answer *Answer
}

// What is told of a key to an Observer.
const (
	keyHeld     = "held"     // for a call that runs now
	keyReplayed = "replayed" // its answer was there
	keyRunning  = "running"  // its call still runs, or its answer is not kept
	keyReused   = "reused"   // it belongs to another request
	keyRefused  = "refused"  // for lack of room
	keyLost     = "lost"     // nobody is told the answer of its call again
)

// Hold has an idempotency key held until the caller of its call is answered; else it returns what the key has. Its
// lease is that of calls. A guest is a caller without a role: see queue.Spec.
func (e *Engine) Hold(ctx context.Context, h *queue.Hold, guest bool) (*Held, *Kept, error) {
	h.Lease = e.Lease
	limits := e.limitsOf(guest)
	found, err := e.Queue.HoldKey(ctx, h, limits)
	switch {
	case err != nil:
		e.Observer.KeyUsed(keyRefused)
		return nil, nil, err
	case !found.Existing:
		e.Observer.KeyUsed(keyHeld)
		held := &Held{engine: e, of: queue.HoldOf{Ref: h.Ref, ID: h.ID}, limits: limits}
		held.renewIn(e.Lease / 3)
		return held, nil, nil
	}
	kept := &Kept{Print: found.Print, Ended: found.Answered}
	if kept.Print == h.Print {
		if kept.Answer, err = e.keptAnswer(ctx, &found); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case kept.Print != h.Print:
		e.Observer.KeyUsed(keyReused)
	case kept.Answer == nil:
		e.Observer.KeyUsed(keyRunning)
	default:
		e.Observer.KeyUsed(keyReplayed)
	}
	return nil, kept, nil
}

// ForgetKey frees a key of a function whose call has ended: the next request with it runs. It returns queue.ErrNotFound
// when there is none, and queue.ErrNotSettled while the call runs.
func (e *Engine) ForgetKey(ctx context.Context, ref function.Ref, key string) error {
	return e.Queue.ForgetKey(ctx, ref, key)
}

// limitsOf bound what a caller adds.
func (e *Engine) limitsOf(guest bool) queue.Limits {
	if guest {
		return e.Limits.ForGuests()
	}
	return e.Limits
}

// renewIn renews the lease in that time, and again, until the key is not held any more.
func (h *Held) renewIn(long time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.renews = time.AfterFunc(long, h.renew)
}

func (h *Held) renew() {
	ctx, cancel := context.WithTimeout(context.Background(), h.engine.Lease)
	defer cancel()
	err := h.engine.Queue.RenewKey(ctx, h.of, h.engine.Lease)
	if errors.Is(err, queue.ErrLost) { // what the call comes to is told to its caller alone
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.renews != nil {
		h.renews.Reset(h.engine.Lease / 3)
	}
}

// end stops to renew the lease. It says whether nobody has done so before.
func (h *Held) end() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.renews == nil {
		return false
	}
	h.renews.Stop()
	h.renews = nil
	return true
}

// Lapse leaves the key to its lease, unless it was answered or freed: what has become of the call is not known.
func (h *Held) Lapse() { h.end() }

// Free lets the next request with the key run: this one has run nothing.
func (h *Held) Free(ctx context.Context) {
	if !h.end() {
		return
	}
	if err := h.engine.Queue.FreeKey(context.WithoutCancel(ctx), h.of); err != nil {
		h.engine.Logger.DebugContext(ctx, "An idempotency key is held until its lease ends", "error", err)
	}
}

// firstAnswer bounds how long a caller waits until its answer is stored, while the store does not answer.
const firstAnswer = 5 * time.Second

// Answer has repeated requests answered with a; nil, and what is longer than an answer may be, have them learn that
// there is no answer. It returns when that is stored. While the store is away it is stored later, if it comes back
// before the server stops.
func (h *Held) Answer(ctx context.Context, a *Answer) {
	if !h.end() {
		return
	}
	var text []byte
	if a != nil {
		text, _ = encodeAnswer(a) // one that cannot be kept is none
	}
	if len(text) > h.engine.KeptLimit {
		text = nil
	}
	ctx = context.WithoutCancel(ctx)
	if h.store(ctx, text, firstAnswer) {
		return
	}
	e := h.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.stopped {
		e.work.Go(func() { h.storeLater(ctx, text) })
	}
}

// store stores an answer. It says whether nothing is left to do.
func (h *Held) store(ctx context.Context, text []byte, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := h.engine.Queue.AnswerKey(ctx, h.of, text, h.limits)
	switch {
	case err == nil:
		return true
	case errors.Is(err, function.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	h.lose(ctx, err)
	return true
}

// storeLater stores an answer once the store is back, unless that takes too long: see Engine.finish.
func (h *Held) storeLater(ctx context.Context, text []byte) {
	begun := time.Now()
	for pause := 50 * time.Millisecond; !h.store(ctx, text, h.engine.Lease); pause = min(2*pause, h.engine.Poll) {
		if _, stopped := h.engine.state(); stopped || time.Since(begun) > 10*h.engine.Lease {
			h.lose(ctx, function.ErrUnavailable)
			return
		}
		time.Sleep(pause)
	}
}

// lose tells of an answer that nobody gets again.
func (h *Held) lose(ctx context.Context, err error) {
	h.engine.Observer.KeyUsed(keyLost)
	h.engine.Logger.WarnContext(ctx, "The answer of a call with an Idempotency-Key cannot be stored: "+
		"a request that repeats it will run", "function", h.of.Ref.String(), "error", err)
}
