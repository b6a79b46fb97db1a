package server

import (
	"context"
	"errors"
	"log/slog"

	"github.com/backstage/functions/sandbox"
)

// poolLog is a sandbox.Observer that logs what an operator should know and passes everything to the next one.
type poolLog struct {
	sandbox.Observer
	log *slog.Logger
}

// ZygoteRestarted implements sandbox.Observer.
func (p poolLog) ZygoteRestarted() {
	p.log.Warn("The fork server ended, and its workers with it; another has taken its place")
	p.Observer.ZygoteRestarted()
}

// WorkerStartFailed implements sandbox.Observer. The pool delays starts after a failure, so there are few.
func (p poolLog) WorkerStartFailed(err error) {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, sandbox.ErrClosed) {
		p.log.Warn("A worker could not be started", "error", err)
	}
	p.Observer.WorkerStartFailed(err)
}
