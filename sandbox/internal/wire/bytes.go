package wire

import (
	"bytes"
	"encoding/base64"
	"slices"
)

// Bytes cross the pipe as base64 with padding, in the one form that each of them has: no line breaks, and no bits set
// that stand for nothing.

var strict = base64.StdEncoding.Strict()

// bytes reads the text of a base64 string that is the rest of the line but for the bracket at its end, and passes its
// quote. The bytes are put over those in dst, or into memory of their own size where dst is nil.
func (s *scanner) bytes(dst []byte) []byte {
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
	if size := strict.DecodedLen(len(text)); dst == nil {
		dst = make([]byte, 0, size)
	} else {
		dst = slices.Grow(dst[:0], size)
	}
	n, err := strict.Decode(dst[:cap(dst)], text)
	if err != nil {
		s.fail("bytes that are not base64: %w", err)
	}
	return dst[:n]
}

// chunk reads a piece of a streamed answer into dst.
func (s *scanner) chunk(dst []byte) []byte {
	s.literal(`,"bytes":"`)
	if len(s.rest) > MaxChunk/3*4+len(`"}`) {
		s.fail("a chunk of more than %d bytes", MaxChunk)
	}
	dst = s.bytes(dst)
	if s.err == nil && len(dst) == 0 {
		s.fail("an empty chunk")
	}
	return dst
}
