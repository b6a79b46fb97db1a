package rawjson

import (
	"encoding/binary"
	"math/bits"
)

// string passes a string, whose opening quote stands at pos.
func (s *scanner) string() bool {
	s.pos++
	for {
		s.plain()
		switch s.peek() {
		case '"':
			s.pos++
			return true
		case '\\':
			s.pos++
			if !s.escape() {
				return false
			}
		default: // the end, or a control character
			return false
		}
	}
}

// plain passes the bytes of a string that stand for themselves, eight at a time where as many are left.
func (s *scanner) plain() {
	for len(s.text)-s.pos >= 8 {
		special := specialBytes(binary.LittleEndian.Uint64(s.text[s.pos:]))
		if special != 0 {
			s.pos += bits.TrailingZeros64(special) / 8
			return
		}
		s.pos += 8
	}
	for s.pos < len(s.text) && s.text[s.pos] >= ' ' && s.text[s.pos] != '"' && s.text[s.pos] != '\\' {
		s.pos++
	}
}

// specialBytes marks, by its highest bit, the first byte of a little-endian word that is a quote, a backslash or below
// a space; nothing before it, and perhaps others behind it. Taking n from each byte of a word borrows from the next
// byte where one is below n.
func specialBytes(word uint64) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := word^each*'"', word^each*'\\'
	return ((word-each*' ')&^word | (quote-each)&^quote | (backslash-each)&^backslash) & high
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
