package worker

import (
	"context"
	"errors"
	"time"

	"github.com/backstage/functions/sandbox/internal/rollback"
)

// How a worker that is rolled back serves calls, and how often it is woken for one:
//
//	pool      ├ call ┤ answer to the caller       │ next call: its frame, then released    nobody waits: Resume
//	process   ├──────┤·· parks ·· is rolled back ─┤ copies its pages, reads the frame      copies its pages, waits for
//	                 └─ Rollback.Wait ────────────┘                                        a frame
//	                    whether it may be used again
//
// The rollback is behind the answer: the caller does not wait for it, the next call does. A worker that is put back
// stays in its stub until its next frame is in its pipe, so that it is woken once for both. Where no call waits it is
// released at once, to copy its pages while nobody waits for that. What is in the pipe is read by nothing but the stub:
// the worker has one thread, and that waits for the host.

// parkTimeout is how long a worker may take from its answer to its stub, where it has nothing to do but to return. It
// counts by the wall clock, for a machine without a processor to spare.
const parkTimeout = 10 * time.Second

// parkedFrame fits into every empty pipe, so that a write does not wait for a process that waits to be released: two
// pages are what the kernel gives a user who has used up his share (PIPE_MIN_DEF_BUFFERS, since Linux 5.14).
const parkedFrame = 2 * 4096

// write sends the process frames. One that waits in its stub is released after that, or before where its pipe may not
// hold them.
func (p *Process) write(frames []byte) (n int, err error) {
	if len(frames) > parkedFrame {
		if err := p.goOn(); err != nil {
			return 0, err
		}
	}
	if n, err = p.stdin.Write(frames); err != nil {
		return n, err
	}
	return n, p.goOn()
}

// Rollback is what is left to do after an answer of a process that is rolled back.
type Rollback struct{ exchange *exchange }

// Wait puts the process back and says whether it may be used again. It must be called once, from any goroutine. The
// process waits for the next call of Serve then, or for Resume.
func (r *Rollback) Wait() (reusable bool) {
	defer r.exchange.mu.Unlock()
	return r.exchange.rollBack()
}

// Resume has a process that was put back, and that serves nobody, prepare for its next call. It does nothing for
// others.
func (p *Process) Resume() {
	if p.tracked == nil || !p.session.mu.TryLock() { // who has the session releases it with the next frame
		return
	}
	defer p.session.mu.Unlock()
	_ = p.goOn() // one that cannot go on fails its next call
}

// goOn lets a process go on that is put back and waits in its stub. Whoever calls it has the session.
func (p *Process) goOn() error {
	if p.tracked == nil || !p.tracked.parked {
		return nil
	}
	p.tracked.parked = false
	return p.unpark()
}

// rollBack puts the process back, or kills it.
func (e *exchange) rollBack() bool {
	p := e.process
	audited, err := p.putBack(e)
	outcome := RollbackOutcome{Audited: audited}
	if err != nil {
		outcome.Cause, outcome.Detail = rollback.Kernel, err.Error()
		if retired, ok := errors.AsType[*rollback.RetireError](err); ok {
			outcome.Cause, outcome.Detail = retired.Cause, retired.Detail
		}
		// Of a process that is being killed, by us or with its fork server, memory, mappings and descriptors are on their
		// way out. What its call has asked the kernel for is known all the same.
		outcome.Killed = outcome.Cause != rollback.Call && (p.killed() || serverDies(p.handle))
		p.Kill(Retired)
	}
	if e.call.RolledBack != nil {
		e.call.RolledBack(outcome)
	}
	return err == nil
}

func (p *Process) putBack(e *exchange) (audited bool, err error) {
	t := p.tracked
	t.closing.Lock()
	defer t.closing.Unlock()
	if t.closed {
		return false, errDead
	}
	ctx, cancel := context.WithTimeout(context.Background(), parkTimeout)
	defer cancel()
	w := t.worker
	if err := w.AwaitPark(ctx); err != nil {
		return false, err
	}
	if e.frames.Buffered() > 0 || unread(p.stdin) != 0 || unread(p.stdout) != 0 || unread(t.stderr) != 0 {
		return false, &rollback.RetireError{Cause: rollback.Files, Detail: "something is left in a pipe"}
	}
	if err := w.Rollback(ctx); err != nil {
		return false, err
	}
	if t.audit != 1 {
		t.audit = max(t.audit-1, 0)
		t.parked = true
		return false, nil
	}
	t.audit = untilAudit(p.cfg.RollbackAudit)
	if err := w.Release(); err != nil {
		return false, err
	}
	return true, w.Compare(ctx)
}
