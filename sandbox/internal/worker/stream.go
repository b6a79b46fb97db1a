package worker

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// An answer may come in pieces, once main has returned:
//
//	pending ── head ── chunk … chunk ── end     or, at any time after head: error
//
// Each piece is written to the caller before the next one is read, so a process whose caller reads slowly is blocked in
// its write, as soon as the pipe is full. It can be killed there as anywhere.

var (
	errHead  = errors.New("a streamed answer where none may begin")
	errChunk = errors.New("a chunk of no streamed answer")
	errEnd   = errors.New("a last frame that does not fit how the answer began")
)

// Streamed is what has been sent of an answer that comes in pieces.
type Streamed struct {
	// Head is the frame that it began with.
	Head *wire.Frame
	// Sent is how many bytes the caller has taken.
	Sent int64
	// FirstByte is the time from the first byte that was sent to the process until its first chunk was there; 0 when none
	// came.
	FirstByte time.Duration
}

// stream is a streamed answer in progress.
type stream struct {
	Streamed
	to     io.Writer
	stall  *stall
	unsent bool // the writer may hold something back
}

// flusher is a writer that may hold bytes back until Flush is called.
type flusher interface{ Flush() error }

// beginStream has the caller take the answer that begins with head. From here on the caller's end ends the call,
// whatever was asked for before.
func (e *exchange) beginStream(ctx context.Context, head *wire.Frame, waited bool) error {
	switch {
	case !waited || e.stream != nil || cmp.Or(e.call.Kind, wire.Run) != wire.Run:
		return e.process.failed(errHead)
	case e.call.Stream == nil:
		return e.refuse(ErrStream)
	}
	e.stream = &stream{Streamed: Streamed{Head: head}}
	e.watch.streaming()
	if e.call.Detached {
		e.watch.watchContext(ctx)
	}
	var err error
	if e.stream.to, err = e.call.Stream(head); err != nil {
		return e.refuse(err)
	}
	if to, ok := e.stream.to.(interface{ Context() context.Context }); ok {
		e.watch.watchContext(to.Context())
	}
	e.stream.stall = newStall(e.process, e.call, e.stream.to, e.watch.timeouts.Unread)
	e.stream.unsent = true
	e.watch.reading(true)
	return nil
}

// forward writes a piece of the answer to the caller.
func (e *exchange) forward(piece []byte) error {
	if e.stream == nil {
		return e.process.failed(errChunk)
	}
	if e.stream.FirstByte == 0 {
		e.stream.FirstByte = time.Since(e.watch.began)
	}
	e.stream.unsent = true
	return e.give(func() error {
		n, err := e.stream.to.Write(piece)
		e.stream.Sent += int64(n)
		return err
	})
}

// give runs what has the caller take a part of the answer. The time is the caller's, and a failure ends the process.
func (e *exchange) give(run func() error) error {
	e.watch.reading(false)
	e.stream.stall.begin()
	err := run()
	cut := e.stream.stall.end()
	switch {
	case err != nil && cut: // because the process is dead
		return e.process.waitExit()
	case err != nil:
		return e.refuse(err)
	}
	e.watch.reading(true)
	return nil
}

// flush has the writer send what it holds back before a wait for the next frame. While more is there already it does
// not: a large answer would be sent in as many small pieces as it has chunks.
func (e *exchange) flush() error {
	if e.stream == nil || !e.stream.unsent || e.frames.Buffered() > 0 || unread(e.process.stdout) > 0 {
		return nil
	}
	e.stream.unsent = false
	to, ok := e.stream.to.(flusher)
	if !ok {
		return nil
	}
	return e.give(to.Flush)
}

// refuse ends the process, whose answer the caller does not take for the reason of err.
func (e *exchange) refuse(err error) error {
	e.process.Kill(Canceled)
	_ = e.process.waitExit() // err is the cause
	return err
}

// checkEnd fails unless the last frame is of the kind that what came before it asks for.
func (e *exchange) checkEnd(frame *wire.Frame) error {
	if streamed := e.stream != nil; frame.Type != wire.Error && streamed != (frame.Type == wire.End) {
		return errEnd
	}
	return nil
}
