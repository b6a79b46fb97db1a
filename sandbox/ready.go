package sandbox

import (
	"errors"
	"fmt"
	"time"
)

// ErrFailing means that the last starts of workers have failed.
var ErrFailing = errors.New("sandbox: workers do not start")

// ErrWarming means that a new pool has not yet as many workers ready as it keeps, or that its fork server still prepares itself, which the next worker
// waits for. Calls are answered meanwhile.
var ErrWarming = errors.New("sandbox: workers are being prepared")

// How starts that fail are judged: one may be chance, and what happened long ago, with no start tried since, says nothing of the next one.
const (
	toleratedFailures = 1
	failureMemory     = 2 * lastRetry
)

// failing remembers the starts that failed since the last one that did not. The zero value is ready for use.
type failing struct {
	count int
	last  time.Time
	cause error
}

// add counts a start that ended with err.
func (f *failing) add(err error) {
	if err == nil {
		*f = failing{}
		return
	}
	f.count++
	f.last, f.cause = time.Now(), err
}

// Ready says whether a call can get a worker: nil, ErrClosed, ErrWarming, or an error that wraps ErrFailing and the cause of the last failure. It
// costs next to nothing. A pool that is merely busy is ready.
func (p *Pool) Ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return ErrClosed
	case p.failing.count <= toleratedFailures && !p.warmLocked():
		return ErrWarming
	case p.failing.count <= toleratedFailures:
		return nil
	case p.starting == 0 && time.Since(p.failing.last) > failureMemory:
		return nil
	}
	return fmt.Errorf("%w, the last %d have failed: %w", ErrFailing, p.failing.count, p.failing.cause)
}

// settler is a starter whose first start is followed by preparations that the next one waits for.
type settler interface{ settled() bool }

// warmLocked says whether the pool has once had all workers that it keeps ready, and its starter is prepared for more.
func (p *Pool) warmLocked() bool {
	if s, ok := p.starter.(settler); ok && !s.settled() {
		return false
	}
	return p.started >= p.cfg.Prewarmed || p.freeLocked() <= 0
}

// Ready is that of the first runtime's pool, and ErrWarming while another one is: a runtime beside the first that does not start fails its own
// functions only.
func (r *Runtimes) Ready() error {
	if err := r.First().Ready(); err != nil {
		return err
	}
	for _, pool := range r.pools {
		if err := pool.Ready(); errors.Is(err, ErrWarming) {
			return err
		}
	}
	return nil
}
