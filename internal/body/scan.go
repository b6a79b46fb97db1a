package body

// maxDepth is how deep objects and arrays may nest. Parsers that recurse, here and in the functions, stay far away from the
// end of their stacks.
const maxDepth = 1000

// scanner checks one JSON text (RFC 8259). Its methods return false at the first fault and leave pos there, exactly where
// V8's parser stops.
type scanner struct {
	text    []byte
	pos     int
	depth   int
	tooDeep bool // the fault is that one more bracket opens at pos
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
	if !s.enter() {
		return false
	}
	if s.accept('}') {
		s.depth--
		return true
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
	if !s.enter() {
		return false
	}
	if s.accept(']') {
		s.depth--
		return true
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

// enter passes an opening bracket and the space after it.
func (s *scanner) enter() bool {
	if s.depth == maxDepth {
		s.tooDeep = true
		return false
	}
	s.depth++
	s.pos++
	s.space()
	return true
}

// next passes what follows an element: a comma with its space, or the closing bracket, and then done is true.
func (s *scanner) next(closing byte) (done, ok bool) {
	s.space()
	if s.accept(',') {
		s.space()
		return false, true
	}
	if s.accept(closing) {
		s.depth--
		return true, true
	}
	return false, false
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
