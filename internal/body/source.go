package body

import (
	"errors"
	"io"
)

// errLimit means that a body is longer than allowed.
var errLimit = errors.New("body: over the limit")

const (
	// maxFirstBuffer bounds what a client gets allocated by promising a long body.
	maxFirstBuffer = 1 << 20
	// unknownLength is the first buffer of a body that does not tell its length.
	unknownLength = 512
)

// source remembers how reading from the client failed, so that a connection that broke can be told from compressed data
// that is broken.
type source struct {
	r   io.Reader
	err error // the first error but io.EOF
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF && s.err == nil {
		s.err = err
	}
	return n, err
}

// readAll reads r to its end, or returns errLimit once it has given one byte more than limit, which must not be negative.
// Length is the expected number of bytes, or negative; with the right one there is a single allocation.
func readAll(r io.Reader, length, limit int64) ([]byte, error) {
	if length < 0 {
		length = unknownLength
	}
	// One byte more, so that the read that finds the end has room.
	buf := make([]byte, 0, min(length, maxFirstBuffer)+1)
	for {
		n, err := r.Read(buf[len(buf):min(int64(cap(buf)), limit+1)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return nil, errLimit
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
}
