package ring

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
)

// waiters wait for the next line of one function; the Ring's mutex guards count.
type waiters struct {
	count int
	wake  chan struct{} // closed by the next line
}

// AwaitLog returns the first lines after a place, at most limit, and waits for one if there is none; it returns none
// when none has come within the given time. Its errors are those of AppendLog.
func (r *Ring) AwaitLog(
	ctx context.Context, ref function.Ref, after function.LogCursor, limit int, within time.Duration,
) ([]function.LogLine, error) {
	over := time.NewTimer(within)
	defer over.Stop()
	for {
		lines, w, err := r.join(ctx, ref, function.LogQuery{After: after, Limit: limit})
		if w == nil {
			return lines, err
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
		case <-over.C:
			r.leave(ref, w)
			return nil, nil
		}
		r.leave(ref, w)
	}
}

// join returns the lines that q selects, or where to wait for them.
func (r *Ring) join(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, *waiters, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usableLocked(ctx, "await"); err != nil {
		return nil, nil, err
	}
	if lines := r.selectLocked(ref, q); len(lines) > 0 {
		return lines, nil, nil
	}
	w, ok := r.waiting[ref]
	if !ok {
		if r.waiting == nil {
			r.waiting = make(map[function.Ref]*waiters)
		}
		w = &waiters{wake: make(chan struct{})}
		r.waiting[ref] = w
	}
	w.count++
	return nil, w, nil
}

func (r *Ring) leave(ref function.Ref, w *waiters) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.count--; w.count == 0 && r.waiting[ref] == w {
		delete(r.waiting, ref)
	}
}

// wakeLocked ends the waiting for lines of ref.
func (r *Ring) wakeLocked(ref function.Ref) {
	if w, ok := r.waiting[ref]; ok {
		close(w.wake)
		delete(r.waiting, ref)
	}
}
