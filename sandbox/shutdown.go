package sandbox

import (
	"context"
	"time"
)

// Close refuses new calls, answers those that wait with ErrClosed, lets those that run finish, ends all workers and returns when every
// process has been reaped. It may be called more than once.
func (p *Pool) Close() error { return p.Shutdown(context.Background()) }

// Shutdown is Close, but when ctx ends it also ends the workers that still run calls, with ReasonClosed. After a first call of either,
// later ones wait for its end.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	first := !p.closed
	if first {
		p.closed = true
		close(p.closing)
	}
	p.mu.Unlock()
	if first {
		p.closeErr = p.shutDown(ctx)
		close(p.quiet)
	}
	<-p.quiet
	return p.closeErr
}

func (p *Pool) shutDown(ctx context.Context) error {
	cut := context.AfterFunc(ctx, p.retireAll)
	p.calls.Wait()
	cut()
	p.stop()
	p.retireAll()
	quiet := make(chan struct{})
	go func() {
		p.keeping.Wait()
		close(quiet)
	}()
	select {
	case <-quiet:
	case <-time.After(closeGrace): // whoever should report the deaths does not: closing the starter ends and reaps what is left
	}
	err := p.starter.close()
	<-quiet
	return err
}

// retireAll ends all workers, also those that run calls. No call may be waiting.
func (p *Pool) retireAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.workers {
		p.retireLocked(w, ReasonClosed)
	}
	p.prewarmed, p.idle = nil, idleSet{}
}

// closeGrace is how long Close waits for killed workers to be reported dead.
const closeGrace = 5 * time.Second
