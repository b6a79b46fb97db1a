//go:build linux

package sandbox_test

import (
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// obituaries is an Observer that tells of the first death.
type obituaries struct {
	sandbox.Observer
	once  sync.Once
	first chan struct{}
}

func (o *obituaries) WorkerDied(reason sandbox.Reason, lag time.Duration) {
	o.Observer.WorkerDied(reason, lag)
	o.once.Do(func() { close(o.first) })
}

// A worker that leaves traces ends as soon as its answer is written. On a busy machine it has been reaped before the
// answer is read.
func TestTheAnswerOfAWorkerThatHasEndedIsRead(t *testing.T) {
	died := &obituaries{first: make(chan struct{})}
	pool := newRealPool(t, func(c *sandbox.Config) { died.Observer, c.Observer, c.SyncTimeout = c.Observer, died, time.Minute })
	inv := invocation("traces", `function main(req, res) {
		console.log('working');
		for (const end = Date.now() + 50; Date.now() < end;) {}
		Math.left = 1;
		res.send(1);
	}`)
	inv.OnLog = func(sandbox.LogLine) { <-died.first } // the reader is held up until all is over
	if result, err := pool.Invoke(t.Context(), inv); err != nil || string(result.Body) != "1" {
		t.Errorf("got %s, %v", bodyOf(result), err)
	}
}
