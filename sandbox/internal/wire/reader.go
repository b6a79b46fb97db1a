package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrTooLong means that a line was longer than a frame of its type may be. The rest of the stream is of no use.
var ErrTooLong = errors.New("wire: line too long")

// ErrEmpty means that a line was empty. Such a line is the first that V8 writes when it gives up for want of memory:
// the process is about to end.
var ErrEmpty = errors.New("wire: empty line")

// Reader reads the frames of one worker. It is not safe for concurrent use.
type Reader struct {
	buffered *bufio.Reader
	limits   Limits
	chunk    []byte // the bytes of the last chunk of the call in progress; reused
}

// headRoom is how much of a line is held before it is known to be a frame of the call in progress.
const headRoom = 16 << 10

// NewReader returns a Reader of what r gives.
func NewReader(r io.Reader, limits Limits) *Reader {
	return &Reader{buffered: bufio.NewReaderSize(r, headRoom), limits: limits}
}

// Next reads the next frame of the call named id, or the ready frame when id is empty. Every other frame is an error,
// before more than headRoom bytes of it are held. At the end of the stream the error is io.EOF, or io.ErrUnexpectedEOF
// in the middle of a line; every error means that the worker cannot be trusted any more. The frame shares no memory
// with the Reader, but for the bytes of a chunk.
func (r *Reader) Next(id string) (*Frame, error) {
	piece, err := r.buffered.ReadSlice('\n')
	switch {
	case err == nil:
		piece = piece[:len(piece)-1]
	case errors.Is(err, io.EOF) && len(piece) > 0:
		return nil, io.ErrUnexpectedEOF
	case !errors.Is(err, bufio.ErrBufferFull):
		return nil, err
	}
	if len(piece) == 0 {
		return nil, ErrEmpty
	}
	s := scanner{rest: piece}
	kind := s.head(id)
	if s.err != nil {
		return nil, s.err
	}
	limit := r.limits.of(kind)
	if len(piece) > limit {
		return nil, tooLong(kind, limit)
	}
	var frame *Frame
	if err == nil {
		frame, err = decode(s.rest, kind, id, false)
	} else {
		frame, err = r.long(piece, len(piece)-len(s.rest), kind, id)
	}
	switch {
	case err != nil:
		return nil, err
	case kind == Chunk:
		return r.readChunk(frame)
	case frame.Last():
		r.chunk = nil // an idle worker holds no memory for streams
	}
	return frame, nil
}

// scratch is where long lines are put together; what has grown beyond keepScratch is not used again.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

const keepScratch = 1 << 20

// long reads on a line that begins with piece, the first head bytes of which are known. What is held grows with what
// has come: a worker that sends little holds little.
func (r *Reader) long(piece []byte, head int, kind, id string) (*Frame, error) {
	limit := r.limits.of(kind)
	buffer := scratch.Get().(*[]byte)
	line := (*buffer)[:0]
	defer func() {
		if cap(line) <= keepScratch {
			*buffer = line
			scratch.Put(buffer)
		}
	}()
	for more := true; more; {
		line = grow(line, len(piece), limit)
		line = append(line, piece...)
		var err error
		piece, err = r.buffered.ReadSlice('\n')
		switch {
		case err == nil:
			piece, more = piece[:len(piece)-1], false
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
		if len(line)+len(piece) > limit {
			return nil, tooLong(kind, limit)
		}
	}
	line = append(grow(line, len(piece), limit), piece...)
	return decode(line[head:], kind, id, cap(line) > keepScratch && cap(line)-len(line) <= len(line)/8)
}

// grow makes room for n more bytes of a line that may have limit in the end.
func grow(line []byte, n, limit int) []byte {
	if len(line)+n <= cap(line) {
		return line
	}
	return append(make([]byte, 0, max(min(4*cap(line), limit), 4*headRoom)), line...)
}

func tooLong(kind string, limit int) error {
	return fmt.Errorf("%w: %s frame of more than %d bytes", ErrTooLong, kind, limit)
}

// Buffered is the number of bytes that were read from the stream and not yet returned.
func (r *Reader) Buffered() int { return r.buffered.Buffered() }
