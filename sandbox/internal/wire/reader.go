package wire

import (
	"bufio"
	"errors"
	"io"
)

// ErrTooLong means that a line was longer than the reader's limit. The rest of the stream is of no use.
var ErrTooLong = errors.New("wire: line too long")

// Reader splits a stream into lines. It is not safe for concurrent use.
type Reader struct {
	buffered *bufio.Reader
	limit    int
	long     []byte // a line that did not fit into buffered; kept until a shorter one comes
}

// keepLong is the largest buffer that is kept for the next long line.
const keepLong = 2 << 20

// NewReader returns a Reader of r whose lines are at most limit bytes without their newline.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{buffered: bufio.NewReaderSize(r, 16<<10), limit: limit}
}

// Next returns the next line without its newline. The bytes are valid until the next call. At the end of the stream it returns
// io.EOF, or io.ErrUnexpectedEOF in the middle of a line.
func (r *Reader) Next() ([]byte, error) {
	piece, err := r.buffered.ReadSlice('\n')
	if err == nil {
		r.long = nil
		return r.checked(piece[:len(piece)-1])
	}
	if cap(r.long) > keepLong {
		r.long = nil
	}
	r.long = r.long[:0]
	for {
		r.long = append(r.long, piece...)
		switch {
		case err == nil:
			return r.checked(r.long[:len(r.long)-1])
		case errors.Is(err, io.EOF) && len(r.long) > 0:
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(r.long) > r.limit:
			return nil, ErrTooLong
		}
		piece, err = r.buffered.ReadSlice('\n')
	}
}

func (r *Reader) checked(line []byte) ([]byte, error) {
	if len(line) > r.limit {
		return nil, ErrTooLong
	}
	return line, nil
}

// Buffered is the number of bytes that were read from the stream and not yet returned.
func (r *Reader) Buffered() int { return r.buffered.Buffered() }
