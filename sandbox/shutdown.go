package sandbox

import (
	"context"
	"time"
)

// Close refuses new calls, answers those that wait with ErrClosed, lets those that run finish, ends all workers and
// returns when every process has been reaped. It may be called more than once.
func (p *Pool) Close() error { return p.Shutdown(context.Background()) }

// Shutdown is Close, but when ctx ends it also ends the workers that still run calls, with ReasonClosed. After a first
// call of either, later ones wait for its end.
func (p *Pool) Shutdown(ctx context.Context) error {
	if p.scheduler.close() {
		p.closeErr = p.shutDown(ctx)
		close(p.quiet)
	}
	<-p.quiet
	return p.closeErr
}

func (p *Pool) shutDown(ctx context.Context) error {
	quiet := p.scheduler.end(ctx)
	select {
	case <-quiet:
	case <-time.After(closeGrace): // nobody reports the deaths: closing the starter ends and reaps what is left
	}
	err := p.starter.close()
	<-quiet
	return err
}

// closeGrace is how long Close waits for killed workers to be reported dead.
const closeGrace = 5 * time.Second
