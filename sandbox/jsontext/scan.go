// Package jsontext checks JSON texts without making values of them. It does so two to ten times as fast as encoding/json (BenchmarkScan), and
// says where a faulty one stops being JSON.
package jsontext

// Outcome is what Scan found.
type Outcome struct {
	OK      bool // the text is one value, perhaps with white space around it
	Stopped int  // the position of the first byte that is wrong; the length of the text when there is none, or something is missing at its end
	TooDeep bool // what is wrong is that one more object or array begins there
}

// Scan reads text as RFC 8259 has it, with objects and arrays nested depth levels at most. It stops at the byte at which V8's parser
// stops. Like that, and like encoding/json, it takes halves of surrogate pairs and repeated names; it leaves it to others whether strings
// are UTF-8.
func Scan(text []byte, depth int) Outcome {
	s := scanner{text: text, left: depth}
	ok := s.document()
	return Outcome{OK: ok, Stopped: s.pos, TooDeep: s.tooDeep}
}

// scanner checks one text. Its methods return false at the first fault and leave pos there.
type scanner struct {
	text    []byte
	pos     int
	left    int // levels that may be entered
	tooDeep bool
}

// document checks the whole text: one value and space around it.
func (s *scanner) document() bool {
	s.space()
	if !s.value() {
		return false
	}
	s.space()
	return s.pos == len(s.text)
}

func (s *scanner) value() bool {
	switch c := s.peek(); c {
	case '"':
		return s.string()
	case '{':
		return s.object()
	case '[':
		return s.array()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return (c == '-' || isDigit(c)) && s.number()
	}
}

func (s *scanner) object() bool {
	if done, ok := s.enter('}'); done || !ok {
		return ok
	}
	for {
		if s.peek() != '"' || !s.string() {
			return false
		}
		s.space()
		if !s.accept(':') {
			return false
		}
		s.space()
		if !s.value() {
			return false
		}
		if done, ok := s.next('}'); done || !ok {
			return ok
		}
	}
}

func (s *scanner) array() bool {
	if done, ok := s.enter(']'); done || !ok {
		return ok
	}
	for {
		if !s.value() {
			return false
		}
		if done, ok := s.next(']'); done || !ok {
			return ok
		}
	}
}

// enter passes an opening bracket and the space after it, or the closing bracket, too, and then done is true.
func (s *scanner) enter(closing byte) (done, ok bool) {
	if s.left == 0 {
		s.tooDeep = true
		return false, false
	}
	s.left--
	s.pos++
	s.space()
	return s.leave(closing), true
}

// next passes what follows an element: a comma with its space, or the closing bracket, and then done is true.
func (s *scanner) next(closing byte) (done, ok bool) {
	s.space()
	if s.accept(',') {
		s.space()
		return false, true
	}
	done = s.leave(closing)
	return done, done
}

// leave passes the closing bracket if it stands at pos.
func (s *scanner) leave(closing byte) bool {
	if !s.accept(closing) {
		return false
	}
	s.left++
	return true
}

func (s *scanner) space() {
	for s.pos < len(s.text) && isSpace(s.text[s.pos]) {
		s.pos++
	}
}

// peek is the byte at pos, or 0, which starts nothing in JSON, at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// accept passes c if it stands at pos.
func (s *scanner) accept(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// isSpace says whether c is white space of JSON.
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
