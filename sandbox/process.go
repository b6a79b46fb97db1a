package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
	"github.com/backstage/functions/sandbox/internal/worker"
)

// processes is the starter of real workers.
type processes struct {
	*worker.Starter
	isolation Isolation
}

func newStarter(cfg *Config) (starter, error) {
	s, err := worker.New(cfg.worker())
	if err != nil {
		return nil, err
	}
	return processes{s, cfg.Isolation}, nil
}

func (s processes) start(ctx context.Context) (child, error) {
	p, err := s.Start(ctx)
	if err != nil {
		return nil, startError{err}
	}
	return process{p}, nil
}

// startError is a start that failed. It is a *DeathError, too, where the death of the worker was its cause.
type startError struct{ error }

func (e startError) Unwrap() error { return e.error }

// As finds the *DeathError.
func (e startError) As(target any) bool {
	found, ok := target.(**DeathError)
	if !ok {
		return false
	}
	death, ok := errors.AsType[*worker.Death](e.error)
	if ok {
		*found = deathOf(death, Stats{})
	}
	return ok
}

func (s processes) report() Report {
	report := s.Report()
	r := Report{Isolation: s.isolation, Modules: report.Modules}
	for _, layer := range report.Layers {
		r.Layers = append(r.Layers, Layer(layer))
	}
	return r
}

func (s processes) describe() string          { return s.Describe() }
func (s processes) close() error              { return s.Close() }
func (s processes) memoryLeft() (int64, bool) { return s.MemoryLeft() }
func (s processes) settled() bool             { return s.Settled() }
func (s processes) restarts() bool            { return s.Restarts() }
func (s processes) method() StartMethod       { return StartMethod(s.Method()) }
func (s processes) rollback() RollbackSupport {
	support := s.Rollback()
	return RollbackSupport{Available: support.Available, Reason: support.Reason}
}

func (s processes) memory() (MemoryUsage, bool) {
	usage, ok := s.Memory()
	return MemoryUsage(usage), ok
}

// process is a real worker.
type process struct{ *worker.Process }

func (p process) kill(reason Reason)     { p.Kill(reason) }
func (p process) dead() <-chan struct{}  { return p.Exited() }
func (p process) idleCPU() time.Duration { return p.IdleCPU() }
func (p process) cpuUsed() time.Duration { return p.CPUUsed() }
func (p process) asleep() bool           { return p.Asleep() }
func (p process) memoryUsed() int64      { return p.MemoryUsed() }
func (p process) weigh(weight int)       { p.SetWeight(weight) }
func (p process) giveWay(behind bool)    { p.GiveWay(behind) }
func (p process) resume()                { p.Resume() }

func (p process) invoke(ctx context.Context, c *call) (*Result, bool, error) {
	if !c.sent {
		c.wire.Invoke = c.inv.frame()
	}
	c.wire.Events, c.wire.Progress, c.wire.Sent, c.wire.BusyWait = (*events)(c.inv), (*progress)(c), c.sent, c.busyWait
	c.wire.Stream, c.wire.Detached = c.inv.stream(), c.inv.Detached
	c.wire.Timeouts = worker.Timeouts{
		Sync: c.inv.SyncTimeout, Async: c.inv.AsyncTimeout,
		Idle: c.inv.StreamIdle, Total: c.inv.StreamTotal, Unread: c.inv.StreamUnread,
	}
	c.wire.Memory, c.wire.CPU = c.inv.Memory, c.inv.CPU
	if c.first {
		c.wire.Load = &wire.Load{
			Filename: c.inv.Filename, Code: c.inv.Code, Cache: c.cache, Web: c.inv.Web, Once: c.inv.Once,
		}
		c.wire.Before, c.wire.WarmupFailed = c.inv.before(), c.of.cfg.fallbacks.tellerOfWarmup(c.inv)
	}
	if c.inv.Rollback {
		c.wire.RolledBack = c.of.cfg.fallbacks.teller(c.inv)
	}
	for _, other := range c.batch {
		other.wire.Invoke = other.inv.frame()
		c.wire.With = append(c.wire.With, &other.wire.Invoke)
	}
	answer, err := p.Serve(ctx, &c.wire)
	c.missed = answer.Missed
	switch {
	case answer.Late != nil:
		c.late = late{answer.Late}
	case answer.Rollback != nil:
		c.putBack = rolledBack{answer.Rollback}
	}
	result, err := outcomeOf(&answer, err)
	return result, answer.Reusable, err
}

// progress tells the scheduler how far a call in a process is.
type progress call

func (p *progress) MainReturned()        { (*call)(p).pending() }
func (p *progress) Stalled(stalled bool) { (*call)(p).stalled(stalled) }

// late is work after an answer in a process.
type late struct{ *worker.LateWork }

func (l late) wait() bool { return l.Wait() }

// rolledBack is what follows an answer of a process that is put back to a snapshot.
type rolledBack struct{ *worker.Rollback }

func (r rolledBack) wait() bool                 { return r.Wait() }
func (r rolledBack) try() (reusable, over bool) { return r.Try() }

var kinds = [...]string{Run: wire.Run, Check: wire.Check, compile: wire.Compile}

// frame is what a worker is sent of inv.
func (inv *Invocation) frame() wire.Invoke {
	frame := wire.Invoke{
		Kind: kinds[inv.Kind], Method: inv.Request.Method, Headers: inv.Request.Header, Query: inv.Request.Query,
		Env: inv.Env, Secrets: inv.Secrets, Outgoing: inv.Outgoing, Spans: inv.OnSpan != nil, Cut: inv.CutAfterAnswer,
		Body: inv.Request.Body, HTTP: inv.Request.HTTP, Auth: inv.Request.Auth,
		Timeout: inv.AsyncTimeout.Milliseconds(),
	}
	if inv.Queued != nil {
		frame.Queued = &wire.Queued{ID: inv.Queued.ID, Attempt: inv.Queued.Attempt}
	}
	if inv.Request.HasRaw {
		frame.Raw = inv.Request.Raw
		if frame.Raw == nil {
			frame.Raw = []byte{}
		}
	}
	return frame
}

// outcomeOf turns the outcome of a worker into that of the call.
func outcomeOf(answer *worker.Answer, err error) (*Result, error) {
	stats := Stats{CPU: answer.CPU, waited: answer.Waited}
	if answer.Streamed != nil {
		return outcomeOfStream(answer, err, stats)
	}
	return outcomeOfFrame(answer, err, stats)
}

func outcomeOfFrame(answer *worker.Answer, err error, stats Stats) (*Result, error) {
	if death, ok := err.(*worker.Death); ok { //nolint:errorlint // as made by Serve, never wrapped
		return nil, deathOf(death, stats)
	}
	if err != nil {
		return nil, err
	}
	stats.Load = wire.Millis(answer.Load)
	header := headerOf(answer.Frame)
	switch answer.Type {
	case wire.Oversize:
		return nil, &DeathError{
			Reason: ReasonOutput, Detail: fmt.Sprintf("the answer has %d bytes, %d are allowed", answer.Size, answer.Allowed),
			Answer: answer.Size, Allowed: answer.Allowed, OfError: answer.OfError, Stats: stats,
		}
	case wire.Error:
		status := answer.Status
		if status == 0 {
			status = 500
		}
		return nil, &FunctionError{
			Status: status, HasStatus: answer.Status != 0, Message: answer.Message, Text: answer.Text,
			Stack: answer.Stack, Frames: answer.Frames, Header: header, Stats: stats,
		}
	default:
		return &Result{Status: answer.Status, Header: header, Body: answer.Body, Bytes: answer.Bytes, Stats: stats}, nil
	}
}

func headerOf(frame *wire.Frame) []HeaderField {
	header := make([]HeaderField, len(frame.Headers))
	for i, h := range frame.Headers {
		header[i] = HeaderField{Name: h[0], Value: h[1]}
	}
	return header
}

// deathOf is the outcome of a call whose worker has died.
func deathOf(death *worker.Death, stats Stats) *DeathError {
	return &DeathError{
		Reason: death.Reason, ExitCode: death.ExitCode, Signal: death.Signal, Detail: death.Detail, Lag: death.Lag,
		untouched: death.Untouched, Stats: stats,
		noSnapshot: death.NoSnapshot, unprepared: death.Unprepared, warmup: death.Warmup,
	}
}

// events has an Invocation told what happens during its call.
type events Invocation

func (e *events) Log(level, text string) {
	if e.OnLog != nil {
		e.OnLog(LogLine{Level: level, Text: text})
	}
}

func (e *events) Progress(frame *wire.Frame) {
	if e.OnProgress != nil {
		e.OnProgress(Progress{Part: frame.Part, Text: frame.Text})
	}
}

func (e *events) Span(frame *wire.Frame) { e.OnSpan(spanOf(frame)) }

// AfterAnswer returns those of a copy whose OnLog is what was OnLate.
func (e *events) AfterAnswer() worker.Events {
	slim := (*Invocation)(e).slim()
	slim.OnLog = slim.OnLate
	return (*events)(slim)
}

func (e *events) LateEnd() {
	if e.OnLateEnd != nil {
		e.OnLateEnd()
	}
}

// watcher hands what workers tell of their calls to a CallWatcher.
type watcher struct{ CallWatcher }

func (w watcher) CallStarted(pid int, call worker.Events) {
	w.CallWatcher.CallStarted(pid, (*Invocation)(call.(*events)))
}

// worker is what workers need to know of c.
func (c *Config) worker() worker.Config {
	cfg := worker.Config{
		Node: c.Node, Runner: c.Runner, Isolation: c.Isolation, Limits: worker.Limits(c.Limits), Memory: c.Memory,
		Timeouts: worker.Timeouts{
			Sync: c.SyncTimeout, Async: c.AsyncTimeout,
			Idle: c.StreamIdle, Total: c.StreamTotal, Unread: c.StreamUnread,
		},
		StartTimeout: c.StartTimeout,
		Web:          c.web,
		Fetch:        c.fetch,
		Rollback:     c.rollback, RollbackAudit: c.RollbackAudit,
		Env: c.Env, TimeZone: c.TimeZone, ICUData: c.ICUData,
		Modules: c.Modules, ModulesDir: c.ModulesDir, Observer: c.Observer,
		Egress: worker.Egress{
			Socket: c.Egress.Socket, KeepAlive: c.Egress.KeepAlive, CA: c.Egress.CA, ExtraCA: c.Egress.ExtraCA,
			TLSInsecure: c.Egress.TLSInsecure, Watcher: watcher{nobody{}},
		},
	}
	if c.Egress.Watcher != nil {
		cfg.Egress.Watcher = watcher{c.Egress.Watcher}
	}
	return cfg
}
