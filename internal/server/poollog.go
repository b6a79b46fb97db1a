package server

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/backstage/functions/sandbox"
)

// poolLog is a sandbox.Observer that logs what an operator should know and passes everything to the next one.
type poolLog struct {
	sandbox.Observer
	log *slog.Logger

	mu   sync.Mutex // guards the field below
	told map[sandbox.RollbackCause]time.Time
}

// tellAgain is how long the log says nothing more of workers that end for the same cause.
const tellAgain = time.Minute

func newPoolLog(next sandbox.Observer, log *slog.Logger) *poolLog {
	return &poolLog{Observer: next, log: log, told: map[sandbox.RollbackCause]time.Time{}}
}

// ZygoteRestarted implements sandbox.Observer.
func (p *poolLog) ZygoteRestarted() {
	p.log.Warn("The fork server ended, and its workers with it; another has taken its place")
	p.Observer.ZygoteRestarted()
}

// WorkerStartFailed implements sandbox.Observer. The pool delays starts after a failure, so there are few.
func (p *poolLog) WorkerStartFailed(err error) {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, sandbox.ErrClosed) {
		p.log.Warn("A worker could not be started", "error", err)
	}
	p.Observer.WorkerStartFailed(err)
}

// WorkerRolledBack implements sandbox.Observer. Why workers end is told once in a while for each cause, of which there
// are few; a difference that a comparison has found is always told.
func (p *poolLog) WorkerRolledBack(filename string, outcome sandbox.RollbackOutcome) {
	switch {
	case outcome.Cause == "" || outcome.Killed:
	case outcome.Cause == sandbox.RollbackUnproven:
		p.log.Error("A worker that was put back is not as in its snapshot, and was ended",
			"function", nameOf(filename), "difference", outcome.Detail)
	case p.isNews(outcome.Cause):
		p.log.Info("A worker could not be put back, and was ended",
			"function", nameOf(filename), "cause", outcome.Cause, "detail", outcome.Detail)
	}
	p.Observer.WorkerRolledBack(filename, outcome)
}

// RollbackChanged implements sandbox.Observer. A function is told of at most once in a minute.
func (p *poolLog) RollbackChanged(now sandbox.RollbackFallback) {
	switch {
	case now.Reason == "":
		p.log.Info("Workers are put back again", "function", nameOf(now.Filename))
	case now.WarmupOnly:
		p.log.Warn("The warmup of a function is left out",
			"function", nameOf(now.Filename), "reason", now.Reason, "until", now.Until)
	default:
		p.log.Warn("Workers of a function are not put back: each call gets a process of its own",
			"function", nameOf(now.Filename), "reason", now.Reason, "until", now.Until)
	}
	p.Observer.RollbackChanged(now)
}

// isNews says whether a cause was not told lately, and notes that it is.
func (p *poolLog) isNews(cause sandbox.RollbackCause) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.told[cause]; ok && time.Since(last) < tellAgain {
		return false
	}
	p.told[cause] = time.Now()
	return true
}

// nameOf is the name of a function as logs and reports have it, of that of its file.
func nameOf(filename string) string { return strings.TrimSuffix(filename, ".js") }
