package wire

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
)

// The bytes of a request and of a result stand in their frame, as base64 with padding in the one form that each of them
// has: no line breaks, and no bits set that stand for nothing. Those of a chunk follow its line as they are:
// docs/decisions has the figures that say why.

var strict = base64.StdEncoding.Strict()

// bytes reads the text of a base64 string that is the rest of the line but for the bracket at its end, and passes its
// quote.
func (s *scanner) bytes() []byte {
	text, found := bytes.CutSuffix(s.rest, []byte(`"}`))
	if s.err != nil || !found {
		s.errForm(`"}`)
		return nil
	}
	s.rest = s.rest[len(text)+len(`"`):]
	if bytes.IndexByte(text, '\r') >= 0 { // which the decoder skips, like line feeds
		s.fail("a carriage return in base64")
		return nil
	}
	data := make([]byte, strict.DecodedLen(len(text)))
	n, err := strict.Decode(data, text)
	if err != nil {
		s.fail("bytes that are not base64: %w", err)
	}
	return data[:n]
}

// chunk reads the size of a piece of a streamed answer.
func (s *scanner) chunk(f *Frame) {
	s.literal(`,"size":`)
	if f.Size = s.integer(); s.err == nil && (f.Size < 1 || f.Size > MaxChunk) {
		s.fail("a chunk of %d bytes", f.Size)
	}
}

// readChunk reads the bytes that follow the line of the chunk f, to where those of the last one were.
func (r *Reader) readChunk(f *Frame) (*Frame, error) {
	r.chunk = slices.Grow(r.chunk[:0], f.Size)[:f.Size]
	switch _, err := io.ReadFull(r.buffered, r.chunk); err {
	case nil:
		f.Bytes = r.chunk
		return f, nil
	case io.EOF:
		return nil, io.ErrUnexpectedEOF
	default:
		return nil, err
	}
}
