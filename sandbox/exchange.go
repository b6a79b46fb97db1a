package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// keepBuffer is the largest buffer that is kept for the next call.
const keepBuffer = 256 << 10

// fillBuffer writes the frames of a turn into the buffer and says whether each keeps to the limit.
func (p *process) fillBuffer(t *turn) bool {
	limit := p.cfg.Limits.Frame + len("\n")
	p.buffer, p.ids = p.buffer[:0], p.ids[:0]
	if t.first {
		p.buffer = wire.AppendLoad(p.buffer, t.inv.Filename, t.inv.Code, t.cache)
		if len(p.buffer) > limit {
			p.buffer = wire.AppendLoad(p.buffer[:0], t.inv.Filename, t.inv.Code, nil)
		}
	}
	load := len(p.buffer)
	p.appendInvoke(t.inv, len(t.behind))
	fits := load <= limit && len(p.buffer)-load <= limit
	for i, inv := range t.behind {
		p.appendInvoke(inv, len(t.behind)-1-i)
	}
	return fits
}

var kinds = [...]string{Run: wire.Run, Check: wire.Check, compile: wire.Compile}

func (p *process) appendInvoke(inv *Invocation, behind int) {
	// Nobody can guess the ID, so code of one function can write no answer to a call that it has not been sent.
	id := strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // ChaCha8 with a seed of the kernel's
	p.ids = append(p.ids, id)
	p.buffer = wire.AppendInvoke(p.buffer, &wire.Invoke{
		ID: id, Kind: kinds[inv.Kind], Behind: behind, Method: inv.Request.Method,
		Headers: inv.Request.Header, Query: inv.Request.Query, Env: inv.Env, Outgoing: inv.Outgoing, Spans: inv.OnSpan != nil,
		Cut:  inv.CutAfterAnswer,
		Body: inv.Request.Body,
	})
}

// exchange is the call in progress.
type exchange struct {
	process *process
	turn    *turn
	id      string
	sent    int // bytes that were written for it and all behind it; 0 for those behind
	watch   *deadlines
	known   bool // egress knows of it
}

// nextCall begins the next of the calls that were sent.
func (p *process) nextCall(ctx context.Context, t *turn) *exchange {
	e := &exchange{process: p, turn: t, id: p.ids[0], watch: p.watchDeadlines(p.ids[0], p.clock)}
	p.ids = p.ids[1:]
	if t.inv.Kind == compile {
		e.watch.mainReturned()
	}
	if len(p.ids) == 0 {
		e.alone(ctx)
	}
	return e
}

// alone notes that no call is behind this one, or none will be served. Only now may ctx cancel it: before, others would be hit.
func (e *exchange) alone(ctx context.Context) {
	e.process.forget(e)
	e.watch.watchContext(ctx)
}

// forget ends the wait for calls behind the one in progress, which egress is told of unless it is nil.
func (p *process) forget(e *exchange) {
	p.ids = p.ids[:0]
	if e != nil {
		e.known = true
		p.cfg.Egress.watcher().CallStarted(p.handle.pid(), e.turn.inv)
	}
	if p.settled != nil {
		p.mu.Lock()
		p.together = false
		p.mu.Unlock()
		if e == nil {
			p.cfg.Egress.watcher().CallEnded(p.handle.pid())
		}
		close(p.settled)
		p.settled = nil
	}
}

// mainReturned notes that the answer is to come. The process serves none of the calls behind this one.
func (e *exchange) mainReturned(ctx context.Context) {
	e.watch.mainReturned()
	if len(e.process.ids) > 0 {
		e.alone(ctx)
	}
	if e.turn.waits != nil {
		e.turn.waits()
	}
}

// end ends the call, tells what it has used, and says whether its process was spared.
func (e *exchange) end(stats *Stats) bool {
	spared := e.watch.stop()
	if stats != nil {
		stats.CPU = e.watch.cpuUsed()
	}
	if e.known {
		e.process.cfg.Egress.watcher().CallEnded(e.process.handle.pid())
	}
	return spared
}

// readAnswer reads the frames of a call until its last.
func (p *process) readAnswer(ctx context.Context, e *exchange) (*Result, bool, error) {
	inv := e.turn.inv
	logged, spans, waited := 0, 0, false
	for heard := false; ; heard = true {
		frame, err := p.frames.Next(e.id)
		switch {
		case err != nil && !heard:
			return p.unheard(e, err)
		case err != nil:
			return p.failed(err)
		}
		switch frame.Type {
		case wire.Log:
			if logged += len(frame.Text) + len("\n"); logged > p.cfg.Limits.Logs+len(truncated) {
				return p.failed(errLogs)
			}
			if inv.OnLog != nil {
				inv.OnLog(LogLine{Level: frame.Level, Text: frame.Text})
			}
		case wire.Span:
			if spans++; inv.OnSpan == nil || spans > wire.MaxSpans+1 {
				return p.failed(errSpans)
			}
			inv.OnSpan(spanOf(frame))
		case wire.Pending:
			if waited {
				return p.failed(errPending)
			}
			e.mainReturned(ctx)
			waited = true
		default:
			if !frame.Last() {
				return p.failed(errLate)
			}
			if err := p.checkLeft(e, frame, logged); err != nil {
				return p.failed(err)
			}
			result, reusable, err := p.finished(frame)
			if stats := statsOf(result, err); stats != nil {
				stats.waited = waited || frame.Late > 0
			}
			return result, reusable, err
		}
	}
}

// truncated is the last line of logs that reached their limit, with its line break. The runner sends it; one that sends more is broken.
const truncated = "[output truncated]\n"

var (
	errLogs    = errors.New("more logs than allowed")
	errSpans   = errors.New("more spans than were asked for")
	errPending = errors.New("pending twice")
	errLate    = errors.New("work after the answer that there may not be")
)

// checkLeft looks at what the call has left with its answer: some of it was cut, some may go on.
func (p *process) checkLeft(e *exchange, frame *wire.Frame, logged int) error {
	inv, end := e.turn.inv, LateTimers
	if frame.Late > 0 {
		if frame.Reusable || frame.Cut > 0 || inv.Kind != Run || inv.CutAfterAnswer {
			return errLate
		}
		if work := p.goOn(e, frame.Late, logged); work != nil {
			e.turn.late = work
			return nil
		}
		frame.Cut, end = frame.Late, LateDeadline
	}
	if frame.Cut == 0 {
		return nil
	}
	if inv.CutAfterAnswer {
		end = LateRefused
	}
	if inv.OnLog != nil {
		inv.OnLog(cutLine(end, frame.Cut))
	}
	p.cfg.Observer.LateWorkEnded(end, 0)
	return nil
}

// failed ends the process after err, which reading or writing gave, and says why it is dead.
func (p *process) failed(err error) (*Result, bool, error) {
	if errors.Is(err, os.ErrDeadlineExceeded) { // which only killAt brings about
		return nil, false, p.killedAtDeadline()
	}
	ending := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, wire.ErrEmpty) || errors.Is(err, os.ErrClosed)
	broken := !ending && !isBrokenPipe(err)
	if broken {
		reason := ReasonProtocol
		if errors.Is(err, wire.ErrTooLong) || errors.Is(err, errLogs) {
			reason = ReasonOutput
		}
		p.kill(reason)
	}
	// An end of the stream means that the process is ending, or that it closed its side and lives on, which it may not.
	death := p.endSoon()
	if broken && death.Detail == "" {
		death.Detail = err.Error()
	}
	if death.Reason == ReasonRetired { // which it may say of itself only after its answer
		death.Reason = ReasonExit
	}
	return nil, false, death
}

// unheard is failed for a process that has said nothing since it was sent a call. When all bytes of that are still in the pipe to it, it
// died without having read any: only a read takes bytes out of a pipe (pipe(7); JavaScript has no tee(2)), and nobody but itself could read
// there: nothing of the call has happened.
func (p *process) unheard(e *exchange, err error) (*Result, bool, error) {
	result, reusable, err := p.failed(err)
	if death, ok := err.(*DeathError); ok { //nolint:errorlint // as made by failed
		p.mu.Lock()
		defer p.mu.Unlock()
		death.untouched = p.reason == "" && !e.turn.sent && p.unread == e.sent
	}
	return result, reusable, err
}

// endSoon gives the process a moment to end by itself, so that its own end is seen and not ours. One that is at its end already is told
// by how it ends, however long that takes on a busy machine.
func (p *process) endSoon() *DeathError {
	grace := time.AfterFunc(time.Second, func() {
		if ending(p.handle.pid()) {
			p.handle.kill() // which sees to it that the end is told
			return
		}
		p.kill(ReasonProtocol)
	})
	defer grace.Stop()
	return p.obituary()
}

// finished turns the last frame of a call into its outcome. A worker that has written more after it is not used again.
func (p *process) finished(frame *wire.Frame) (*Result, bool, error) {
	reusable := frame.Reusable && (len(p.ids) > 0 || p.frames.Buffered() == 0)
	stats := Stats{Load: wire.Millis(frame.Load)}
	header := make([]HeaderField, len(frame.Headers))
	for i, h := range frame.Headers {
		header[i] = HeaderField{Name: h[0], Value: h[1]}
	}
	switch frame.Type {
	case wire.Oversize:
		return nil, reusable, &DeathError{
			Reason: ReasonOutput, Detail: fmt.Sprintf("the answer has %d bytes, %d are allowed", frame.Size, p.allowed(frame.Size)),
			Answer: frame.Size, Allowed: p.allowed(frame.Size), OfError: frame.Size <= p.cfg.Limits.Answer, Stats: stats,
		}
	case wire.Error:
		status := frame.Status
		if status == 0 {
			status = 500
		}
		return nil, reusable, &FunctionError{
			Status: status, HasStatus: frame.Status != 0, Message: frame.Message, Text: frame.Text,
			Stack: frame.Stack, Frames: frame.Frames, Header: header, Stats: stats,
		}
	default:
		return &Result{Status: frame.Status, Header: header, Body: frame.Body, Stats: stats}, reusable, nil
	}
}

// allowed is the limit that an answer of size bytes did not keep to: that of errors when a result may have as many.
func (p *process) allowed(size int) int {
	if size > p.cfg.Limits.Answer {
		return p.cfg.Limits.Answer
	}
	return p.cfg.Limits.wire().Error()
}

// handshake greets the new process and waits until it is ready.
func (p *process) handshake(ctx context.Context, greeting []byte) error {
	stop := context.AfterFunc(ctx, func() { p.kill(ReasonCanceled) })
	defer stop()
	_, err := p.stdin.Write(greeting)
	if err == nil || isBrokenPipe(err) { // a broken pipe's cause is to be read on the other one
		var frame *wire.Frame
		if frame, err = p.frames.Next(""); err == nil {
			p.missing = frame.Missing
		}
	}
	if err == nil {
		return nil
	}
	_, _, death := p.failed(err)
	if ctx.Err() != nil {
		return fmt.Errorf("not ready in time: %w", context.Cause(ctx))
	}
	return death
}

func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
