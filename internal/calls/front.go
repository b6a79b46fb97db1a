package calls

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Put adds a call, and has a server take it soon.
func (e *Engine) Put(ctx context.Context, spec *queue.Spec) (queue.Placed, error) {
	placed, err := e.Queue.PutCall(ctx, spec, e.limitsOf(spec.Guest))
	switch {
	case err != nil:
		e.Observer.CallPlaced("refused")
		return placed, err
	case placed.Existing:
		e.Observer.CallPlaced("existing")
		return placed, nil
	}
	e.Observer.CallPlaced("queued")
	e.announce(ctx, spec.ID)
	return placed, nil
}

// announce says that there is a call to take: here, if a worker is spare, or to all.
func (e *Engine) announce(ctx context.Context, id string) {
	e.poke()
	if load, _ := e.state(); e.Spare(load) <= 0 {
		e.tell(ctx, heardQueued, id)
	}
}

// Get returns the record of a call, or queue.ErrNotFound.
func (e *Engine) Get(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	return e.Queue.GetCall(ctx, ref, id)
}

// Await is Get for a call that is settled. When it is not within the time, or when ctx ends, it returns the record as
// it is then.
func (e *Engine) Await(ctx context.Context, ref function.Ref, id string, long time.Duration) (*queue.Call, error) {
	changed, leave := e.waiters.join(id)
	defer leave()
	timeout := time.NewTimer(long)
	defer timeout.Stop()
	poll := time.NewTicker(e.Poll)
	defer poll.Stop()
	for {
		c, err := e.Queue.GetCall(ctx, ref, id)
		if err != nil || c.Status.Settled() || long <= 0 {
			return c, err
		}
		select {
		case <-ctx.Done():
			return c, nil
		case <-timeout.C:
			long = 0
		case <-changed:
		case <-poll.C:
		}
	}
}

// Watch calls see with the record of a call, and again with each change of it that is noticed, until it is settled, see
// returns an error, or ctx ends. Idle is called when nothing was to be seen for that long.
func (e *Engine) Watch(
	ctx context.Context, ref function.Ref, id string, see func(*queue.Call) error, idle func() error, every time.Duration,
) error {
	changed, leave := e.waiters.join(id)
	defer leave()
	poll := time.NewTicker(e.Poll)
	defer poll.Stop()
	var last *queue.Call
	for told := time.Now(); ; {
		c, err := e.Queue.GetCall(ctx, ref, id)
		switch {
		case err != nil:
			return err
		case last == nil || differs(last, c):
			last, told = c, time.Now()
			if err := see(c); err != nil || c.Status.Settled() {
				return err
			}
		case time.Since(told) >= every:
			told = time.Now()
			if err := idle(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		case <-poll.C:
		}
	}
}

// differs says whether a reader sees another call in b than in a.
func differs(a, b *queue.Call) bool {
	return a.Status != b.Status || a.Takes != b.Takes || a.Used != b.Used || a.Step != b.Step ||
		string(a.Progress) != string(b.Progress)
}

// List returns a page of the calls of a function.
func (e *Engine) List(ctx context.Context, q *queue.Query) (queue.Page, error) {
	return e.Queue.ListCalls(ctx, q)
}

// Cancel cancels a call, and kills its worker if it runs.
func (e *Engine) Cancel(ctx context.Context, ref function.Ref, id string) error {
	if err := e.Queue.CancelCall(ctx, ref, id); err != nil {
		return err
	}
	e.Ended()
	e.cancelHere(id)
	e.waiters.wake(id)
	e.tell(ctx, heardCancelled, id)
	return nil
}

// Redrive queues a dead or cancelled call again.
func (e *Engine) Redrive(ctx context.Context, ref function.Ref, id string) error {
	if err := e.Queue.RedriveCall(ctx, ref, id); err != nil {
		return err
	}
	e.waiters.wake(id)
	e.announce(ctx, id)
	return nil
}
