// Package rawjson reads and writes JSON as text, without making values of it: whether a text is JSON and where it stops
// being so, the members of an object, strings as JSON.stringify writes them, and JavaScript's order of keys.
//
// It scans by hand, because that is faster than encoding/json and go-json-experiment/json/jsontext (BenchmarkScan), and
// because it stops at the byte at which V8's parser stops. Escaped strings are read by jsontext, which is faster than
// encoding/json.
package rawjson

// Outcome is what Scan found.
type Outcome struct {
	// OK says that the text is one value, perhaps with white space around it.
	OK bool
	// Stopped is the position of the first byte that is wrong. It is the length of the text when no byte is wrong, or when
	// something is missing at the end.
	Stopped int
	// TooDeep says that what is wrong is one more object or array than may be nested.
	TooDeep bool
}

// Scan reads text as RFC 8259 has it, with objects and arrays nested depth levels at most. It stops at the byte at
// which V8's parser stops. Like V8 and encoding/json it accepts halves of surrogate pairs and repeated names. It leaves
// it to others whether strings are UTF-8.
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

	// The brackets that are open: how many, and a bit for each that says whether it is that of an object, the innermost
	// one's lowest. Those beyond the innermost 64 are in outer. To keep them in calls instead would cost a hundred
	// bytes of stack for each.
	depth int
	inner uint64
	outer []uint64
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

// value passes a value with all that is in it.
func (s *scanner) value() bool {
	for {
		begun, ok := s.begin()
		switch {
		case !ok:
			return false
		case begun:
			continue // with its first element
		}
		for { // a value has ended: what it is in goes on with the next element, or ends too
			if s.depth == 0 {
				return true
			}
			s.space()
			if s.accept(',') {
				s.space()
				if s.inObject() && !s.key() {
					return false
				}
				break
			}
			if !s.accept(s.closing()) {
				return false
			}
			s.leave()
		}
	}
}

// begin passes a scalar or an empty object or array whole; of others it passes what stands before the first element's
// value, and then begun is true.
func (s *scanner) begin() (begun, ok bool) {
	switch c := s.peek(); c {
	case '"':
		return false, s.string()
	case '{', '[':
		if s.left == 0 {
			s.tooDeep = true
			return false, false
		}
		s.pos++
		s.enter(c == '{')
		s.space()
		if s.accept(s.closing()) {
			s.leave()
			return false, true
		}
		return true, c == '[' || s.key()
	case 't':
		return false, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		return false, s.literal("null")
	default:
		return false, (c == '-' || isDigit(c)) && s.number()
	}
}

// key passes the name of a member and the colon after it.
func (s *scanner) key() bool {
	return s.peek() == '"' && s.string() && s.colon()
}

// colon passes the colon after a name, and the space around it.
func (s *scanner) colon() bool {
	s.space()
	if !s.accept(':') {
		return false
	}
	s.space()
	return true
}

const innerBits = 64

// enter notes an open bracket.
func (s *scanner) enter(object bool) {
	if s.depth > 0 && s.depth%innerBits == 0 {
		s.outer = append(s.outer, s.inner)
	}
	s.inner <<= 1
	if object {
		s.inner |= 1
	}
	s.depth++
	s.left--
}

// leave notes that the innermost bracket has been closed.
func (s *scanner) leave() {
	s.inner >>= 1
	s.depth--
	s.left++
	if s.depth > 0 && s.depth%innerBits == 0 {
		last := len(s.outer) - 1
		s.inner, s.outer = s.outer[last], s.outer[:last]
	}
}

// inObject says whether the innermost bracket is that of an object.
func (s *scanner) inObject() bool { return s.inner&1 == 1 }

// closing is what closes the innermost bracket.
func (s *scanner) closing() byte {
	if s.inObject() {
		return '}'
	}
	return ']'
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
