package sandbox

import (
	"context"
	"time"
)

// Close is that of the Pool.
func (p *runtimePool) Close() error { return p.Shutdown(context.Background()) }

// Shutdown is that of the Pool.
func (p *runtimePool) Shutdown(ctx context.Context) error {
	if p.scheduler.close() {
		p.closeErr = p.shutDown(ctx)
		close(p.quiet)
	}
	<-p.quiet
	return p.closeErr
}

func (p *runtimePool) shutDown(ctx context.Context) error {
	quiet := p.scheduler.end(ctx)
	select {
	case <-quiet:
	case <-time.After(closeGrace): // nobody reports the deaths: closing the starter ends and reaps what is left
	}
	err := p.starter.close()
	<-quiet
	p.scheduler.leaveBudget()
	p.compiling.Wait() // no call runs that could begin another
	return err
}

// closeGrace is how long Close waits for killed workers to be reported dead.
const closeGrace = 5 * time.Second
