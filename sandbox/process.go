package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// process is a worker's operating-system process and the protocol spoken with it. One goroutine at a time may call invoke; kill and dead
// are safe from any.
type process struct {
	cfg    *Config
	handle handle
	stdin  *os.File // our ends of the pipes
	stdout *os.File
	frames *wire.Reader
	buffer []byte // for the frames to send; reused
	reaped chan struct{}

	mu       sync.Mutex // guards the fields below
	reason   Reason     // why we killed it; empty when we did not
	deadline time.Time  // the deadline it was killed at
	death    *DeathError
	calling  bool   // a call is in progress
	release  func() // closes our ends of the pipes of a process that died during that call
}

// handle is an operating-system process. Its methods are safe for concurrent use.
type handle interface {
	pid() int
	kill()
	// wait returns when the process has been reaped; it is called once. Peak is the most memory that was resident, in bytes; 0 when that is
	// not known.
	wait() (status syscall.WaitStatus, peak int64)
}

func (p *process) dead() <-chan struct{} { return p.reaped }

// kill implements child.
func (p *process) kill(reason Reason) { p.killAt(reason, time.Time{}) }

// killAt kills the process for reason, because of a deadline when that is not zero.
func (p *process) killAt(reason Reason, deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != "" || p.death != nil {
		return
	}
	p.reason, p.deadline = reason, deadline
	p.handle.kill()
	if !deadline.IsZero() {
		// The kernel runs no more of its code from here on: its caller need not wait until it has been taken down.
		_ = p.stdin.SetWriteDeadline(deadline)
		_ = p.stdout.SetReadDeadline(deadline)
	}
}

// killedAtDeadline returns the outcome of a call whose deadline has passed.
func (p *process) killedAtDeadline() *DeathError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &DeathError{Reason: p.reason, Lag: time.Since(p.deadline)}
}

// obituary waits for the end of the process and says how it came.
func (p *process) obituary() *DeathError {
	<-p.reaped
	p.mu.Lock()
	defer p.mu.Unlock()
	death := *p.death
	return &death
}

// invoke implements child.
func (p *process) invoke(ctx context.Context, inv *Invocation, first bool) (result *Result, reusable bool, err error) {
	// Nobody can guess the ID, so no answer can be written before its call.
	id := strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // ChaCha8 with a seed of the kernel's
	if !p.fillBuffer(inv, id, first) {
		return nil, !first, ErrTooLarge
	}
	watcher := p.cfg.Egress.watcher()
	watcher.CallStarted(p.handle.pid(), inv)
	defer watcher.CallEnded(p.handle.pid())
	p.begin()
	defer p.end()
	watch := p.watchDeadlines(ctx)
	defer func() {
		watch.stop()
		if stats := statsOf(result, err); stats != nil {
			stats.CPU = watch.cpuUsed()
		}
	}()
	if _, err := p.stdin.Write(p.buffer); err != nil {
		return p.failed(fmt.Errorf("write: %w", err))
	}
	if cap(p.buffer) > keepBuffer {
		p.buffer = nil
	}
	return p.readAnswer(inv, id, watch)
}

// begin notes that a call is in progress.
func (p *process) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calling = true
}

// end ends begin, and closes the pipes if the process has died since.
func (p *process) end() {
	p.mu.Lock()
	p.calling = false
	release := p.release
	p.mu.Unlock()
	if release != nil {
		release()
	}
}

// drainTimeout is how long the pipes of a dead process stay open at most for the call that reads them.
const drainTimeout = 5 * time.Second

// releasePipes closes our ends of the pipes of a dead process: at once, or when the call in progress has read what there is. A worker
// that is not to be used again ends right after it has written its answer, and may be reaped before that has been read. Then the call
// comes to the end of the stream by itself, unless something else still holds the pipe.
func (p *process) releasePipes(closePipes func()) {
	closePipes = sync.OnceFunc(closePipes)
	p.mu.Lock()
	calling := p.calling
	if calling {
		p.release = closePipes
	}
	p.mu.Unlock()
	if calling {
		time.AfterFunc(drainTimeout, closePipes)
		return
	}
	closePipes()
}

// keepBuffer is the largest buffer that is kept for the next call.
const keepBuffer = 256 << 10

// fillBuffer writes the frames of a call into the buffer and says whether each keeps to the limit.
func (p *process) fillBuffer(inv *Invocation, id string, first bool) bool {
	limit := p.cfg.Limits.Frame + len("\n")
	p.buffer = p.buffer[:0]
	if first {
		p.buffer = wire.AppendLoad(p.buffer, inv.Filename, inv.Code)
	}
	load := len(p.buffer)
	p.buffer = wire.AppendInvoke(p.buffer, &wire.Invoke{
		ID: id, Check: inv.Kind == Check, Method: inv.Request.Method,
		Headers: inv.Request.Header, Query: inv.Request.Query, Env: inv.Env, Outgoing: inv.Outgoing, Spans: inv.OnSpan != nil,
		Body: inv.Request.Body,
	})
	return load <= limit && len(p.buffer)-load <= limit
}

// readAnswer reads the frames of the call named id until its last.
func (p *process) readAnswer(inv *Invocation, id string, watch *deadlines) (*Result, bool, error) {
	logged, spans := 0, 0
	for {
		frame, err := p.next(id)
		if err != nil {
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
			watch.mainReturned()
		default:
			return p.finished(frame)
		}
	}
}

// truncated is the last line of logs that reached their limit, with its line break. The runner sends it; one that sends more is broken.
const truncated = "[output truncated]\n"

var (
	errLogs  = errors.New("more logs than allowed")
	errSpans = errors.New("more spans than were asked for")
)

// next reads the next frame of the call named id.
func (p *process) next(id string) (*wire.Frame, error) {
	line, err := p.frames.Next()
	if err != nil {
		return nil, err
	}
	frame, err := wire.Decode(line)
	if err != nil {
		return nil, err
	}
	if frame.ID != id || frame.Type == wire.Ready {
		return nil, fmt.Errorf("%s frame of call %q during call %q", frame.Type, frame.ID, id)
	}
	return frame, nil
}

// failed ends the process after err, which reading or writing gave, and says why it is dead.
func (p *process) failed(err error) (*Result, bool, error) {
	if errors.Is(err, os.ErrDeadlineExceeded) { // which only killAt brings about
		return nil, false, p.killedAtDeadline()
	}
	broken := !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, os.ErrClosed) && !isBrokenPipe(err)
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
	return nil, false, death
}

// endSoon gives the process a moment to end by itself, so that its own end is seen and not ours.
func (p *process) endSoon() *DeathError {
	grace := time.AfterFunc(time.Second, func() { p.kill(ReasonProtocol) })
	defer grace.Stop()
	return p.obituary()
}

// finished turns the last frame of a call into its outcome. A worker that has written more after it is not used again.
func (p *process) finished(frame *wire.Frame) (*Result, bool, error) {
	reusable := frame.Reusable && p.frames.Buffered() == 0
	stats := Stats{Load: wire.Millis(frame.Load)}
	header := make([]HeaderField, len(frame.Headers))
	for i, h := range frame.Headers {
		header[i] = HeaderField{Name: h[0], Value: h[1]}
	}
	switch frame.Type {
	case wire.Oversize:
		return nil, reusable, &DeathError{
			Reason: ReasonOutput, Detail: fmt.Sprintf("the answer has %d bytes, %d are allowed", frame.Size, p.cfg.Limits.Frame), Stats: stats,
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

// handshake greets the new process and waits until it is ready.
func (p *process) handshake(ctx context.Context, greeting []byte) error {
	stop := context.AfterFunc(ctx, func() { p.kill(ReasonCanceled) })
	defer stop()
	_, err := p.stdin.Write(greeting)
	if err == nil || isBrokenPipe(err) { // a broken pipe's cause is to be read on the other one
		err = awaitReady(p.frames)
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

// awaitReady reads the ready frame.
func awaitReady(frames *wire.Reader) error {
	line, err := frames.Next()
	if err != nil {
		return err
	}
	frame, err := wire.Decode(line)
	if err == nil && frame.Type != wire.Ready {
		err = fmt.Errorf("%s frame before ready", frame.Type)
	}
	return err
}

func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

// tail keeps the end of what a process writes to stderr. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
