package logs

import (
	"context"
	"io"
	"sync"
	"time"
)

// A Sink writes when it holds this much, and at the latest after this time.
const (
	gatherSize  = 64 << 10
	gatherDelay = 100 * time.Millisecond
)

// maxSpare is the largest buffer that a Sink keeps for its next batch; those of a burst are given back.
const maxSpare = 4 * gatherSize

// Sink writes the lines of its streams to one file, in the order in which they came. Only its own goroutine writes to
// the file, so a reader that is slow, stopped or gone holds up nobody who has a line to write: what finds no room in
// the stream's bounded share is dropped and counted, and a line says how many were once the reader is back. It is safe
// for concurrent use.
type Sink struct {
	out     io.Writer
	wake    chan struct{} // holds one token while lines wait
	due     chan struct{} // holds one token while a batch is full
	closing chan struct{}
	done    chan struct{} // closed when nothing is written any more

	mu      sync.Mutex // guards the fields below and those of the streams; nothing is written under it
	streams []*Stream
	pending []byte
	spare   []byte // for the next batch
	torn    bool   // the last batch broke off within a line
	closed  bool
}

// NewSink returns a Sink that writes to out, whose only user it must be. Close ends it.
func NewSink(out io.Writer) *Sink {
	s := &Sink{
		out: out, wake: make(chan struct{}, 1), due: make(chan struct{}, 1),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	go s.run()
	return s
}

// Close writes what waits and returns, or when ctx ends: then the reader of the file has stopped, and what is left is
// given up. It returns how many lines that is. Lines that come later are dropped.
func (s *Sink) Close(ctx context.Context) (lost int) {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.mu.Unlock()
	select {
	case <-s.done:
	case <-ctx.Done():
	}
	return s.unwritten()
}

func (s *Sink) unwritten() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, stream := range s.streams {
		n += stream.waiting.lines + stream.writing.lines + stream.untold
	}
	return n
}

// run writes batches until the Sink is closed and all is written.
func (s *Sink) run() {
	defer close(s.done)
	delay := time.NewTimer(gatherDelay)
	for {
		select {
		case <-s.wake:
		case <-s.closing:
			for s.writeBatch() {
			}
			return
		}
		delay.Reset(gatherDelay)
		select {
		case <-delay.C:
		case <-s.due:
		case <-s.closing:
		}
		s.writeBatch()
	}
}

// writeBatch writes all that waits and says whether there was anything.
func (s *Sink) writeBatch() bool {
	batch := s.take()
	if len(batch) == 0 {
		return false
	}
	n, err := s.out.Write(batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.torn = err != nil && n > 0 && n < len(batch) && batch[n-1] != '\n' || s.torn && n == 0
	for _, stream := range s.streams {
		stream.settleLocked(err == nil)
	}
	if cap(batch) <= maxSpare {
		s.spare = batch[:0]
	}
	return true
}

// take moves all that waits into a batch.
func (s *Sink) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.due:
	default:
	}
	if len(s.pending) == 0 {
		return nil
	}
	batch := s.pending
	s.pending, s.spare = s.spare, nil
	if s.torn {
		batch = append([]byte{'\n'}, batch...)
	}
	for _, stream := range s.streams {
		stream.writing, stream.waiting = stream.waiting, share{}
	}
	return batch
}

// appendLocked makes line part of the next batch.
func (s *Sink) appendLocked(line []byte) {
	if len(s.pending) == 0 {
		signal(s.wake)
	}
	s.pending = append(s.pending, line...)
	if len(s.pending) >= gatherSize {
		signal(s.due)
	}
}

// signal puts a token into a channel that holds one.
func signal(token chan<- struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
