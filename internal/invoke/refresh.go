package invoke

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/backstage/functions/internal/function"
)

// How long the source may take for one question.
const (
	revisionTimeout = 250 * time.Millisecond
	loadTimeout     = 10 * time.Second
)

// refresh loads the function, or checks the one in memory. It runs at most once at a time for each function, unless
// there was a change.
func (c *cache) refresh(ctx context.Context, ref function.Ref) (*entry, error) {
	f := &flight{ref: ref}
	e, trust := c.begin(f)
	defer c.end(f)
	switch trust {
	case trusted: // by another flight, a moment ago
		return e, nil
	case absent:
		return c.load(ctx, f)
	}
	return c.check(ctx, f, e)
}

func (c *cache) begin(f *flight) (*entry, trust) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current[f.ref] = f
	e := c.kept.get(f.ref)
	return e, c.trustLocked(e)
}

func (c *cache) end(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current[f.ref] == f {
		delete(c.current, f.ref)
	}
}

// check compares e with the source and loads it anew when it has changed. While the source is away e is still used.
func (c *cache) check(ctx context.Context, f *flight, e *entry) (*entry, error) {
	short, cancel := context.WithTimeout(ctx, revisionTimeout)
	defer cancel()
	revision, err := c.source.Revision(short, f.ref)
	switch {
	case errors.Is(err, function.ErrNotFound):
		return nil, c.missing(f)
	case isAway(err):
		c.backOff(ctx, f, err)
		return e, nil
	case err != nil:
		c.logger.ErrorContext(
			ctx,
			"Failed to check a function, the one in memory keeps running",
			"function",
			f.ref.String(),
			"error",
			err,
		)
		c.confirm(f, e)
		return e, nil
	}
	c.reached()
	if revision == e.revision {
		c.confirm(f, e)
		return e, nil
	}
	fresh, err := c.load(ctx, f)
	if isAway(err) {
		c.backOff(ctx, f, err)
		return e, nil
	}
	return fresh, err
}

// load reads the function and keeps it, unless a change came in between.
func (c *cache) load(ctx context.Context, f *flight) (*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	fn, err := c.source.Get(ctx, f.ref)
	switch {
	case errors.Is(err, function.ErrNotFound):
		return nil, c.missing(f)
	case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, function.ErrUnavailable):
		return nil, fmt.Errorf("invoke: load %s: %w: %w", f.ref, function.ErrUnavailable, err)
	case err != nil:
		return nil, fmt.Errorf("invoke: load %s: %w", f.ref, err)
	}
	c.reached()
	e, err := newEntry(fn, &c.bounds)
	if err != nil {
		return nil, fmt.Errorf("invoke: load %s: %w", f.ref, err)
	}
	c.warnBeyond(ctx, fn)
	e.compiled.Kept = func(bytes int) { c.compiled(e, bytes) }
	c.logger.InfoContext(
		ctx,
		fmt.Sprintf("Get code from database, namespace: %s codeId: %s and store on cache", f.ref.Namespace, f.ref.ID),
	)
	c.keep(f, e)
	return e, nil
}

// warnBeyond tells of options that the server runs with less than is stored.
func (c *cache) warnBeyond(ctx context.Context, fn *function.Function) {
	if faults := c.bounds.Faults(&fn.Options); len(faults) > 0 {
		c.logger.WarnContext(ctx, "A function is stored with options beyond the bounds of this server, and runs within them",
			"function", fn.String(), "faults", strings.Join(faults, "; "))
	}
}

func (c *cache) keep(f *flight, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current[f.ref] == f {
		e.verified = time.Now()
		c.kept.put(e)
	}
}

// compiled counts what is kept next to the code of e from now on.
func (c *cache) compiled(e *entry, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.compiled(e, bytes)
}

func (c *cache) confirm(f *flight, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current[f.ref] == f {
		e.verified = time.Now()
	}
}

// missing drops the function, which the source no longer has, and returns the error that says so.
func (c *cache) missing(f *flight) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current[f.ref] == f {
		c.kept.remove(f.ref)
	}
	return &function.NotFoundError{Ref: f.ref}
}

// isAway says whether err means that the source could not be reached in time.
func isAway(err error) bool {
	return errors.Is(err, function.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

// backOff lets no check start for a while, so that calls do not each wait for a source that does not answer. It does
// nothing for a flight that a change has overtaken, as the source may be back since.
func (c *cache) backOff(ctx context.Context, f *flight, err error) {
	c.mu.Lock()
	valid := c.current[f.ref] == f
	first := valid && !c.away
	if valid {
		c.away, c.retry = true, time.Now().Add(c.maxStale)
	}
	c.mu.Unlock()
	if first {
		c.logger.WarnContext(ctx, "Storage is unavailable, functions in memory keep running", "error", err)
	}
}

// reached ends the time that backOff began.
func (c *cache) reached() {
	c.mu.Lock()
	back := c.away
	c.away = false
	c.mu.Unlock()
	if back {
		c.logger.Info("Storage is available again")
	}
}
