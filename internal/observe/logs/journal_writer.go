package logs

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
)

const (
	// maxBatch is how many lines are written at once.
	maxBatch = 500
	// gatherTime is the pause between batches, so that a busy server writes larger ones, and not more of them.
	gatherTime = 20 * time.Millisecond
	// failPause is the pause after a batch that could not be written.
	failPause = time.Second
	// appendTimeout bounds the writing of one batch, lastTimeout that of all that waits when the server ends.
	appendTimeout = 5 * time.Second
	lastTimeout   = 5 * time.Second
)

// journalWriter writes the lines of a Journal; one goroutine uses it.
type journalWriter struct {
	*Journal
	failing bool
}

// run writes lines as they come until ctx ends, then what is left.
func (w *journalWriter) run(ctx context.Context) {
	defer close(w.done)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-w.queue.wake:
			sleep(ctx, w.writeBatch(context.WithoutCancel(ctx)))
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTimeout)
	defer cancel()
	for lines := w.queue.take(maxBatch); len(lines) > 0; lines = w.queue.take(maxBatch) {
		w.write(last, lines)
	}
}

// writeBatch writes the lines that wait, and says how long to pause then.
func (w *journalWriter) writeBatch(ctx context.Context) time.Duration {
	lines := w.queue.take(maxBatch)
	switch {
	case !w.write(ctx, lines):
		return failPause
	case len(lines) == maxBatch:
		return 0
	}
	return gatherTime
}

// write has the store keep lines and says whether it did.
func (w *journalWriter) write(ctx context.Context, lines []function.LogLine) bool {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	kept, err := w.o.Store.AppendLog(ctx, lines, w.o.Keep)
	if lost := len(lines) - kept; lost > 0 {
		w.o.Dropped(lost)
	}
	switch failed := err != nil; {
	case failed && !w.failing:
		w.o.Logger.Warn("Output of functions cannot be kept", "error", err)
	case !failed && w.failing:
		w.o.Logger.Info("Output of functions is kept again")
	}
	w.failing = err != nil
	return err == nil
}

// sleep waits for the pause, or until ctx ends.
func sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
