//go:build !linux

package worker

import "context"

type tracked struct{}

func (*Starter) mayTrace() bool { return false }

func (*Process) takeOver(context.Context) error { return nil }

func (*Process) load(context.Context, []byte) error { return ErrUnsupported }

func (*Process) snapshot() error { return ErrUnsupported }

func (*Process) unpark() error { return ErrUnsupported }

func (*Process) awaitPark(context.Context) error { return ErrUnsupported }

// Rollback is what is left to do after an answer of a process that is rolled back.
type Rollback struct{ exchange *exchange }

// Try is never called.
func (r *Rollback) Try() (reusable, over bool) { return false, false }

// Wait says that the process may not be used again.
func (r *Rollback) Wait() (reusable bool) {
	defer r.exchange.mu.Unlock()
	return r.exchange.rollBack()
}

// Resume does nothing.
func (*Process) Resume() {}

func (*Process) forgetTimes() error { return nil }

func (p *Process) write(frames []byte) (int, error) { return p.stdin.Write(frames) }

func (*exchange) rollBack() bool { return false }
