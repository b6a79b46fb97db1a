package sandbox

import "time"

// Observer is told what the pool does. Its methods are called from many goroutines, sometimes with a lock held: they must be
// safe for concurrent use and return at once. Embed NopObserver to implement only some of them.
type Observer interface {
	// WorkerStarted reports a new worker and the time its start took.
	WorkerStarted(took time.Duration)
	// WorkerStartFailed reports a start that failed.
	WorkerStartFailed(err error)
	// WorkerDied reports each death, planned ones too. Lag is the time from a deadline to the death, else 0.
	WorkerDied(reason Reason, lag time.Duration)
	// InvocationDone reports each call that got a worker.
	InvocationDone(stats Stats)
	// InvocationRefused reports each call that got none; err is or wraps ErrBusy, ErrClosed or the context's error.
	InvocationRefused(err error)
}

// NopObserver ignores everything.
type NopObserver struct{}

// WorkerStarted implements Observer.
func (NopObserver) WorkerStarted(time.Duration) {}

// WorkerStartFailed implements Observer.
func (NopObserver) WorkerStartFailed(error) {}

// WorkerDied implements Observer.
func (NopObserver) WorkerDied(Reason, time.Duration) {}

// InvocationDone implements Observer.
func (NopObserver) InvocationDone(Stats) {}

// InvocationRefused implements Observer.
func (NopObserver) InvocationRefused(error) {}

// PoolStats is the state of a pool at one moment.
type PoolStats struct {
	// Size is the limit on workers. Starting, Prewarmed, Idle and Busy add up to those that exist or are about to.
	Size, Starting, Prewarmed, Idle, Busy int
	// Queued counts the calls that wait, at most QueueSize.
	Queued, QueueSize int
}
