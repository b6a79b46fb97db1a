package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/backstage/functions/sandbox/internal/rollback"
	"github.com/backstage/functions/sandbox/internal/wire"
)

// What a process that is rolled back does before its first call:
//
// All of it counts as CPU time of the call that has come, and the calls before the snapshot together get its time.
//
//	host                                   process
//	 │ load ──────────────────────────────▶ │ compiles the function, parks
//	 │ invoke, kind prepare ──────────────▶ │ runs the top-level code of a function with Once
//	 │ ◀───────────────────── result, error │ what that throws answers the call that has come; parks
//	 │ invoke, kind warmup ───────────────▶ │ the same as a call, without egress; any number of times
//	 │ ◀───────────────────── result, error │ parks
//	 │ takes the snapshot                   │
//	 ▼ the call                             ▼

// mostReason is how many bytes of a reason are kept.
const mostReason = 200

// unprepared is why no snapshot can be taken of a process after what its function has done in it.
type unprepared struct {
	kind, reason string
}

func (u *unprepared) Error() string {
	if u.kind == wire.Warmup {
		return "after the warmup: " + u.reason
	}
	return "after the top-level code: " + u.reason
}

// endedBefore is the outcome of a call that has not begun: what the top-level code has thrown, or a death.
func (e *exchange) endedBefore(thrown *Answer, death *Death) (Answer, error) {
	if death != nil {
		return Answer{CPU: e.prepared}, death
	}
	answer := *thrown
	answer.CPU = e.prepared
	return answer, nil
}

// loadTracked has a process that is rolled back load its function, and takes the snapshot, before the call begins. One
// that fails has seen nothing of the call. What the top-level code has thrown is the call's answer.
func (e *exchange) loadTracked(ctx context.Context) (thrown *Answer, death *Death) {
	p := e.process
	if p.tracked == nil || len(e.load) == 0 {
		return nil, nil //nolint:nilnil // there is nothing to do
	}
	clock := p.CPUUsed()
	err := p.load(ctx, append([]byte{'\n'}, e.load...))
	e.load = nil
	e.prepared, _ = p.cpuSince(clock)
	began := time.Now()
	for _, invoke := range e.call.Before {
		if err == nil {
			thrown, err = e.before(ctx, invoke, began)
		}
		if thrown != nil {
			return thrown, nil
		}
	}
	if err == nil {
		if err = p.snapshot(); err == nil {
			p.idleClock.Store(0) // as before any call
			return nil, nil      //nolint:nilnil // all is well
		}
		err = e.blame(err)
	}
	return nil, e.withoutSnapshot(ctx, err)
}

// blame makes an error of the snapshot one of the function if it has run code, and the host has not failed.
func (e *exchange) blame(err error) error {
	n := len(e.call.Before)
	retired, ok := errors.AsType[*rollback.RetireError](err)
	if n == 0 || !ok || retired.Cause == rollback.Kernel || retired.Cause == rollback.NoPark {
		return err
	}
	return &unprepared{e.call.Before[n-1].Kind, fmt.Sprintf("%s: %s", retired.Cause, retired.Detail)}
}

// withoutSnapshot ends the process after err, and says how.
func (e *exchange) withoutSnapshot(ctx context.Context, err error) *Death {
	if death, ok := errors.AsType[*Death](err); ok {
		return death
	}
	p := e.process
	fault, isFault := errors.AsType[*unprepared](err)
	killed := !isFault && p.killed() // such as for its room: another worker may serve the call
	reason := Retired
	if ctx.Err() != nil {
		reason = Canceled
	}
	p.Kill(reason)
	death := p.waitExit()
	death.Untouched = killed
	if isFault {
		death.Unprepared, death.Warmup, death.Detail = true, fault.kind == wire.Warmup, err.Error()
		return death
	}
	if !killed && death.Reason == Retired { // and not of the memory that the code takes, for example
		death.NoSnapshot, death.Detail = true, err.Error()
	}
	return death
}

// before has the process serve a call before the snapshot, the first of which has begun at that time.
func (e *exchange) before(ctx context.Context, invoke *wire.Invoke, began time.Time) (thrown *Answer, err error) {
	p := e.process
	if err := p.unpark(); err != nil {
		return nil, err
	}
	answer, err := e.ask(ctx, invoke, began)
	warmup := invoke.Kind == wire.Warmup
	switch {
	case err != nil && warmup && ctx.Err() == nil:
		return nil, &unprepared{invoke.Kind, e.warmupEnded(err)}
	case err != nil:
		return nil, err
	case !answer.Reusable && answer.Type != wire.Result && !warmup:
		return &answer, nil
	case !answer.Reusable:
		return nil, &unprepared{invoke.Kind, reasonIn(answer.Frame)}
	case answer.Type == wire.Error && e.call.WarmupFailed != nil:
		e.call.WarmupFailed(answer.Text)
	}
	return nil, p.awaitPark(ctx)
}

// reasonIn is why the process cannot go on to its snapshot, by its own account.
func reasonIn(frame *wire.Frame) (reason string) {
	if json.Unmarshal(frame.Body, &reason) != nil {
		return "the answer is too large"
	}
	return reason[:min(len(reason), mostReason)] // native code of the function may have written it
}

// timeoutsBefore are those of the call that waits, less what has passed since then.
func (e *exchange) timeoutsBefore(began time.Time) Timeouts {
	t := e.call.Timeouts.or(e.process.cfg.Timeouts)
	t.Async = max(t.Async-time.Since(began), time.Millisecond)
	return t
}

// ask sends a call before the snapshot and reads its answer, with the limits of the call that waits for it.
func (e *exchange) ask(ctx context.Context, invoke *wire.Invoke, began time.Time) (answer Answer, err error) {
	p := e.process
	call := &Call{Invoke: *invoke, Timeouts: e.timeoutsBefore(began), Events: e.call.Events}
	if call.Kind == wire.Warmup {
		call.Offline, call.Events = true, quiet{e.call.Events}
	}
	buffer, ids := e.buffer, e.ids // of the call that waits
	e.buffer, e.ids = []byte{'\n'}, nil
	defer func() { e.buffer, e.ids = buffer, ids }()
	inner := &exchange{session: e.session, process: p, call: call}
	inner.appendInvoke(&call.Invoke, 0)
	inner.begin(p.CPUUsed())
	inner.next(ctx)
	defer func() {
		inner.stop(&answer)
		e.prepared += answer.CPU
		inner.end()
	}()
	if _, err = inner.send(); err != nil {
		return Answer{}, err
	}
	return inner.readAnswer(ctx)
}

// quiet drops what a warmup prints.
type quiet struct{ Events }

func (quiet) Log(string, string) {}
