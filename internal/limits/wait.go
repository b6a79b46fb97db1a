package limits

import (
	"context"
	"errors"
	"time"
)

// errWaited says that the time for a wait is over.
var errWaited = errors.New("limits: the store did not answer in time")

// await returns nil once told is closed, the cause of ctx, or errWaited when the timer fires.
func await(ctx context.Context, told <-chan struct{}, timer *time.Timer) error {
	select {
	case <-told:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return errWaited
	}
}
