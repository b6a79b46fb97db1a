package logs

import (
	"io"
	"sync"
	"time"
)

// Bounds of a Buffer: it writes when it holds this much, and at the latest after this time.
const (
	bufferSize  = 64 << 10
	bufferDelay = 100 * time.Millisecond
)

// Buffer gathers small writes, so that a request does not wait for the terminal or the disk. What one Write was given
// always leaves in one piece: other writers to the same file cannot come in between. It is safe for concurrent use.
type Buffer struct {
	mu      sync.Mutex // guards the fields below; it is held while a full buffer is written, as nowhere else is room
	out     io.Writer
	pending []byte
	timer   *time.Timer // runs while pending is not empty
	closed  bool
}

// NewBuffer returns a Buffer that writes to out.
func NewBuffer(out io.Writer) *Buffer {
	b := &Buffer{out: out, pending: make([]byte, 0, bufferSize)}
	b.timer = time.AfterFunc(bufferDelay, b.flush)
	b.timer.Stop()
	return b
}

// Write keeps p, which is written within 100 ms. Its error may be that of an earlier Write.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending)+len(p) > bufferSize || b.closed {
		if err := b.flushLocked(); err != nil {
			return 0, err
		}
	}
	if len(p) > bufferSize || b.closed {
		return b.out.Write(p)
	}
	if len(b.pending) == 0 {
		b.timer.Reset(bufferDelay)
	}
	b.pending = append(b.pending, p...)
	return len(p), nil
}

// Close writes what is left. Later writes are not held back any more, and so never lost.
func (b *Buffer) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.flushLocked()
}

func (b *Buffer) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.flushLocked() // there is nobody to tell, and nowhere to write it
}

// flushLocked writes all that is pending. What cannot be written is given up, or a full disk would fill the memory too.
func (b *Buffer) flushLocked() error {
	b.timer.Stop()
	if len(b.pending) == 0 {
		return nil
	}
	_, err := b.out.Write(b.pending)
	b.pending = b.pending[:0]
	return err
}
