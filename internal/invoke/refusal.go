package invoke

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// HasRun says whether a call that ended with err ran anything of its function.
func HasRun(err error) bool { return hasRun(err) }

// hasRun says whether a call that ended with err ran anything of its function. Else it was refused, or its caller went
// away while it waited: that is nothing which the function prints, or callers could fill its output without a worker.
func hasRun(err error) bool {
	if err == nil || errors.Is(err, sandbox.ErrStream) {
		return true
	}
	if _, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*sandbox.DeathError](err); ok {
		return true
	}
	_, ok := errors.AsType[*sandbox.StreamError](err)
	return ok
}

const (
	refusalReport = time.Minute // between two log lines about refused calls of one function
	maxRefused    = 1024        // functions at a time that there are log lines about
)

// refusals logs which functions have calls that are refused: the first one at once, then how many there were. It is
// safe for concurrent use.
type refusals struct {
	logger *slog.Logger

	mu        sync.Mutex // guards what is below
	functions map[function.Ref]*refused
}

// refused are the calls of one function.
type refused struct {
	calls int // since the last line
	told  time.Time
}

func newRefusals(logger *slog.Logger) *refusals {
	return &refusals{logger: logger, functions: map[function.Ref]*refused{}}
}

// add counts a call of ref that was refused with err.
func (r *refusals) add(ctx context.Context, ref function.Ref, err error) {
	if errors.Is(err, context.Canceled) { // its caller has gone, as callers may
		return
	}
	if calls := r.count(ref, time.Now()); calls > 0 {
		r.logger.WarnContext(ctx, "Calls were refused", "function", ref.String(), "calls", calls, "last_error", err)
	}
}

// count returns how many calls a line is due about; 0 for no line.
func (r *refusals) count(ref function.Ref, now time.Time) (calls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.functions[ref]
	if f == nil {
		if len(r.functions) >= maxRefused && !r.forgetLocked(now) {
			return 0
		}
		f = &refused{}
		r.functions[ref] = f
	}
	f.calls++
	if !f.told.IsZero() && now.Sub(f.told) < refusalReport {
		return 0
	}
	calls, f.calls, f.told = f.calls, 0, now
	return calls
}

// forgetLocked makes room for other functions, if there are some that a line may be written about again.
func (r *refusals) forgetLocked(now time.Time) bool {
	for ref, f := range r.functions {
		if now.Sub(f.told) >= refusalReport {
			delete(r.functions, ref)
		}
	}
	return len(r.functions) < maxRefused
}
