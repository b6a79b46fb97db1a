// Package health says whether the server lives and whether it should get calls: /livez and /readyz, as Kubernetes asks
// for them (https://kubernetes.io/docs/reference/using-api/health-checks/).
//
// A server is live if it can answer at all. It is ready if all checks pass and it is not about to
// stop. Probes
// cost little and cause no more work than one a second would: checks are asked at most that often, however many probes
// come.
package health

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Bounds on a check.
const (
	freshness    = time.Second
	checkTimeout = time.Second
)

// Check is one condition of being ready.
type Check struct {
	Name string
	// Run returns what to show next to the name, if anything, or why the server is not ready. It must respect ctx and
	// be safe for concurrent use. Callers see the text of a *Problem; of any other error they see that the check
	// failed, and the log has the text.
	Run func(ctx context.Context) (detail string, err error)
}

// Problem is an error whose text callers may see.
type Problem struct {
	// Text is for callers.
	Text string
	// Cause is for the log; it may be nil.
	Cause error
}

func (p *Problem) Error() string {
	if p.Cause == nil {
		return p.Text
	}
	return p.Text + ": " + p.Cause.Error()
}

func (p *Problem) Unwrap() error { return p.Cause }

// Health answers probes. Use New. It is safe for concurrent use.
type Health struct {
	logger  *slog.Logger
	checks  []Check
	flights singleflight.Group
	ending  atomic.Bool

	mu     sync.Mutex // guards the fields below
	asked  time.Time
	latest []result
	passed []bool // of each check, whether it ever has
}

// New returns a Health that is ready while all checks pass. The logger is told when one begins to fail and when it
// passes again. That one has not passed yet is no warning: every server begins so.
func New(logger *slog.Logger, checks ...Check) *Health {
	return &Health{logger: logger, checks: checks, passed: make([]bool, len(checks))}
}

// NotReady makes the server not ready for good: it is about to end. It may be called more than once.
func (h *Health) NotReady() { h.ending.Store(true) }

// result is the outcome of one check.
type result struct {
	name, detail string
	err          error
}

// results are those of all checks, at most freshness old, and that the server is ending if it is.
func (h *Health) results() []result {
	h.mu.Lock()
	latest, age := h.latest, time.Since(h.asked)
	h.mu.Unlock()
	if latest == nil || age >= freshness {
		// Nobody's own context: who asks first may go away first.
		all, _, _ := h.flights.Do("", func() (any, error) { return h.ask(), nil })
		latest = all.([]result)
	}
	shutdown := result{name: "shutdown"}
	if h.ending.Load() {
		shutdown.err = &Problem{Text: "the server is ending"}
	}
	return append(latest[:len(latest):len(latest)], shutdown)
}

// ask runs all checks side by side.
func (h *Health) ask() []result {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	all := make([]result, len(h.checks))
	var running sync.WaitGroup
	for i, check := range h.checks {
		running.Go(func() {
			detail, err := check.Run(ctx)
			all[i] = result{check.Name, detail, err}
		})
	}
	running.Wait()
	h.mu.Lock()
	before, passed := h.latest, slices.Clone(h.passed)
	h.latest, h.asked = all, time.Now()
	for i, now := range all {
		h.passed[i] = h.passed[i] || now.err == nil
	}
	h.mu.Unlock()
	h.logChanges(before, all, passed)
	return all
}

// logChanges tells of each check whose outcome is another than before; before is nil at first, when all counts as well.
// Passed says of each whether it has passed before.
func (h *Health) logChanges(before, after []result, passed []bool) {
	for i, now := range after {
		failed := before != nil && before[i].err != nil
		switch {
		case now.err != nil && !failed && passed[i]:
			h.logger.Warn("Not ready", "check", now.name, "error", now.err)
		case now.err != nil && !failed:
			h.logger.Info("Not ready yet", "check", now.name, "error", now.err)
		case now.err == nil && failed && passed[i]:
			h.logger.Info("Ready again", "check", now.name)
		case now.err == nil && failed:
			h.logger.Info("Ready", "check", now.name)
		}
	}
}

// reason is what callers may know of err.
func reason(err error) string {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem.Text
	}
	return "failed"
}
