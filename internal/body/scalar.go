package body

// string passes a string, whose opening quote stands at pos.
func (s *scanner) string() bool {
	s.pos++
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return true
		case c < ' ':
			return false
		case c == '\\':
			s.pos++
			if !s.escape() {
				return false
			}
		default:
			s.pos++
		}
	}
	return false
}

// escape passes what follows a backslash. Any four hexadecimal digits do: half of a surrogate pair is legal in JSON.
func (s *scanner) escape() bool {
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return true
	case 'u':
		s.pos++
	default:
		return false
	}
	for range 4 {
		if !isHexDigit(s.peek()) {
			return false
		}
		s.pos++
	}
	return true
}

// number passes a number, whose first character stands at pos.
func (s *scanner) number() bool {
	s.accept('-')
	if s.accept('0') {
		if isDigit(s.peek()) {
			return false
		}
	} else if !s.digits() {
		return false
	}
	if s.accept('.') && !s.digits() {
		return false
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('+') {
			s.accept('-')
		}
		return s.digits()
	}
	return true
}

// digits passes one digit or more.
func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

// literal passes word, whose first letter stands at pos.
func (s *scanner) literal(word string) bool {
	for i := range len(word) {
		if !s.accept(word[i]) {
			return false
		}
	}
	return true
}

func isHexDigit(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
