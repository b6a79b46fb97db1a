package body

import (
	"errors"
	"io"
	"math"
)

// errLimit means that a body is longer than allowed.
var errLimit = errors.New("body: over the limit")

const (
	// maxFirstBuffer bounds what is allocated for a client that announces a long body, without asking for memory.
	maxFirstBuffer = 4 << 10
	// growth bounds the buffer of a long body whose length is announced, as a multiple of what has arrived: more saves
	// copies, less saves memory.
	growth = 16
	// unknownLength is the first buffer of a body that does not tell its length.
	unknownLength = 512
)

// rawLimit is how many bytes a client may send for a body that has at most limit under encoding: data that cannot be
// compressed grows by less than a hundredth, headers and checksums of a gzip file included.
func rawLimit(encoding string, limit int64) int64 {
	if encoding == identity {
		return limit
	}
	const headers = 1 << 10
	return min(limit, math.MaxInt64-limit/64-headers) + limit/64 + headers
}

// readAhead is more than what decompression reads beyond what it returns.
const readAhead = 8 << 10

// limits are those of one body. Extend is asked for another one when the first is reached; nil for none.
type limits struct {
	now    int64
	extend func(beginning []byte) int64
}

// over says whether buf is too long.
func (l *limits) over(buf []byte) bool {
	if int64(len(buf)) > l.now && l.extend != nil {
		l.now, l.extend = l.extend(buf[:l.now]), nil
	}
	return int64(len(buf)) > l.now
}

// source is what the client sends, up to a limit. It remembers how reading failed, so that a connection that broke can
// be told from compressed data that is broken.
type source struct {
	r    io.Reader
	left int64 // bytes that may still come
	err  error // the first error but io.EOF
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.left -= int64(n); s.left < 0 && s.err == nil {
		s.err = errLimit
		return n, errLimit
	}
	if err != nil && err != io.EOF && s.err == nil {
		s.err = err
	}
	return n, err
}

// readAll reads r to its end, or returns errLimit once it has given one byte more than its limit, which must not be
// negative. Length is the expected number of bytes, or negative; a short body of the right one takes a single
// allocation. Grow is asked before the buffer becomes longer than maxFirstBuffer, with by how much; false ends it with
// ErrNoRoom.
func readAll(r io.Reader, length int64, most limits, grow func(int) bool) ([]byte, error) {
	first := length
	if length < 0 {
		first = unknownLength
	}
	// One byte more, so that the read that finds the end has room.
	buf := make([]byte, 0, min(first, maxFirstBuffer)+1)
	for {
		n, err := r.Read(buf[len(buf):min(int64(cap(buf)), most.now+1)])
		buf = buf[:len(buf)+n]
		if most.over(buf) {
			return nil, errLimit
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
		if len(buf) < cap(buf) {
			continue
		}
		larger := min(nextSize(int64(cap(buf)), length), most.now+1)
		if larger > maxFirstBuffer+1 && !grow(int(larger)-cap(buf)) {
			return nil, ErrNoRoom
		}
		buf = append(make([]byte, 0, larger), buf...)
	}
}

// nextSize is how large a full buffer of size becomes, of a body whose length is promised, or negative.
func nextSize(size, length int64) int64 {
	if length >= size {
		return min(growth*size, length+1)
	}
	return 2 * size
}
