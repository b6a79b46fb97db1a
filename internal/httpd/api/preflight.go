package api

import (
	"context"
	"time"
)

// preflightTime is how long it takes until a preflight is refused. Browsers show no key with one, so the function is
// looked for all the same; how long that takes would tell whether there is one.
const preflightTime = 50 * time.Millisecond

// evenOut returns at preflightTime after start, or when ctx ends.
func evenOut(ctx context.Context, start time.Time) {
	timer := time.NewTimer(time.Until(start.Add(preflightTime)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
