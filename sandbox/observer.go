package sandbox

import "time"

// Observer is told what the pool does. Its methods are called from many goroutines, sometimes with a lock held: they
// must be safe for concurrent use and return at once. Embed NopObserver to implement only some of them.
type Observer interface {
	// WorkerStarted reports a new worker and the time its start took.
	WorkerStarted(took time.Duration)
	// WorkerStartFailed reports a start that failed.
	WorkerStartFailed(err error)
	// WorkerDied reports each death, planned ones too. Lag is the time from a deadline to the death, else 0.
	WorkerDied(reason Reason, lag time.Duration)
	// WorkerUsed reports, of each worker that died, the most memory that was resident at any time of its life, in bytes.
	// What it shares with its fork server counts too. It is not reported where the kernel's account was lost with the fork
	// server.
	WorkerUsed(peakMemory int64)
	// ZygoteRestarted reports a fork server that took the place of one that had ended.
	ZygoteRestarted()
	// InvocationDone reports each call that got a worker.
	InvocationDone(stats Stats)
	// LateWorkEnded reports how the work ended that a call had left at its answer, and how long it went on; 0 for what was
	// cut with the answer.
	LateWorkEnded(end LateEnd, took time.Duration)
	// WorkerRolledBack reports each attempt to put a worker back to its snapshot after a call of the function whose code
	// has that Filename.
	WorkerRolledBack(filename string, outcome RollbackOutcome)
	// RollbackReplaced reports each call that asked for a worker that is put back and gets one of its own.
	RollbackReplaced(why Replaced)
	// RollbackChanged reports that calls of a function get workers of their own from now on, or no warmup, and that
	// workers are put back again.
	RollbackChanged(RollbackFallback)
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

// WorkerUsed implements Observer.
func (NopObserver) WorkerUsed(int64) {}

// ZygoteRestarted implements Observer.
func (NopObserver) ZygoteRestarted() {}

// InvocationDone implements Observer.
func (NopObserver) InvocationDone(Stats) {}

// LateWorkEnded implements Observer.
func (NopObserver) LateWorkEnded(LateEnd, time.Duration) {}

// WorkerRolledBack implements Observer.
func (NopObserver) WorkerRolledBack(string, RollbackOutcome) {}

// RollbackReplaced implements Observer.
func (NopObserver) RollbackReplaced(Replaced) {}

// RollbackChanged implements Observer.
func (NopObserver) RollbackChanged(RollbackFallback) {}

// InvocationRefused implements Observer.
func (NopObserver) InvocationRefused(error) {}
