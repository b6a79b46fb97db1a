package sandbox

import (
	"fmt"
	"sync"
	"time"
)

// tally is an Observer that counts.
type tally struct {
	NopObserver

	mu                                  sync.Mutex // guards the fields below
	started, startFailed, done, refused int
}

func (o *tally) count(n *int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*n++
}

func (o *tally) WorkerStarted(time.Duration) { o.count(&o.started) }
func (o *tally) WorkerStartFailed(error)     { o.count(&o.startFailed) }
func (o *tally) InvocationDone(Stats)        { o.count(&o.done) }
func (o *tally) InvocationRefused(error)     { o.count(&o.refused) }

func (o *tally) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprintf("%d started, %d failed to, %d calls done, %d refused", o.started, o.startFailed, o.done, o.refused)
}
