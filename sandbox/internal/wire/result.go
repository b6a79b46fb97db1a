package wire

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/backstage/functions/sandbox/jsontext"
)

// decodeResult reads a result frame in the very form in which the runner writes it. It returns nil for any other line, which need not be
// wrong: it is for Decode to say. Almost every frame is of this form, and reading it so takes a fifth of the time.
func decodeResult(line []byte) *Frame {
	s := scanner{rest: line, ok: true}
	frame := &Frame{Type: Result}
	s.literal(`{"type":"result","id":`)
	frame.ID = string(s.text())
	s.literal(`,"reusable":`)
	frame.Reusable = s.boolean()
	s.literal(`,"status":`)
	frame.Status = s.status()
	s.literal(`,"headers":`)
	frame.Headers = s.headers()
	if !s.ok || frame.ID == "" {
		return nil
	}
	if len(s.rest) == 1 && s.rest[0] == '}' {
		return frame
	}
	s.literal(`,"body":`)
	body, found := bytes.CutSuffix(s.rest, []byte("}"))
	if !s.ok || !found || !isJSON(body) || isPadded(body) {
		return nil
	}
	frame.Body = slices.Clone(body)
	return frame
}

// maxDepth is that of encoding/json, which would refuse the frame.
const maxDepth = 10_000

func isJSON(text []byte) bool { return jsontext.Scan(text, maxDepth).OK }

// isPadded says whether there is white space around the value, which is not part of it.
func isPadded(value []byte) bool { return len(bytes.TrimSpace(value)) != len(value) }

// scanner reads pieces off the front of rest; ok is false once something else was there.
type scanner struct {
	rest []byte
	ok   bool
}

func (s *scanner) literal(text string) {
	if !s.accept(text) {
		s.ok = false
	}
}

func (s *scanner) accept(text string) bool {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

// text reads a string in which nothing is escaped and no control character stands.
func (s *scanner) text() []byte {
	s.literal(`"`)
	for i, c := range s.rest {
		if c == '"' {
			text := s.rest[:i]
			s.rest = s.rest[i+1:]
			return text
		}
		if c < 0x20 || c == '\\' {
			break
		}
	}
	s.ok = false
	return nil
}

func (s *scanner) boolean() bool {
	if s.accept("true") {
		return true
	}
	s.literal("false")
	return false
}

// status reads a number of three digits that is a status.
func (s *scanner) status() int {
	const digits = 3
	if len(s.rest) < digits {
		s.ok = false
		return 0
	}
	n, err := strconv.ParseUint(string(s.rest[:digits]), 10, 16)
	if err != nil || !isStatus(int(n)) {
		s.ok = false
		return 0
	}
	s.rest = s.rest[digits:]
	return int(n)
}

// headers reads a list of pairs.
func (s *scanner) headers() [][2]string {
	list := [][2]string{}
	s.literal("[")
	for s.ok && !s.accept("]") {
		if len(list) > 0 {
			s.literal(",")
		}
		s.literal("[")
		name := s.text()
		s.literal(",")
		value := s.text()
		s.literal("]")
		list = append(list, [2]string{string(name), string(value)})
	}
	if s.ok && validateHeaders(list) != nil {
		s.ok = false
	}
	return list
}
