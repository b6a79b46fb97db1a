package rawjson

import (
	"iter"
	"math"
)

// Members yields the name and the value of each member of the object that text is, both as JSON, in their order. A name
// given twice comes twice. What is no object has no members. Members copies nothing and reads no further than it is
// asked to. It ends at the first fault, so what is not known to be JSON must be scanned first.
func Members(text []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		s := scanner{text: text, left: math.MaxInt}
		s.members(yield)
	}
}

// members passes an object, and calls yield after each member until that returns false. It stops at the first fault, or
// before the closing bracket; what is no object is passed up to its first character.
func (s *scanner) members(yield func(name, value []byte) bool) {
	s.space()
	if !s.accept('{') {
		return
	}
	s.space()
	for s.peek() == '"' {
		start := s.pos
		if !s.string() {
			return
		}
		name := s.text[start:s.pos:s.pos]
		if !s.colon() {
			return
		}
		start = s.pos
		if !s.value() || !yield(name, s.text[start:s.pos:s.pos]) {
			return
		}
		s.space()
		if !s.accept(',') {
			return
		}
		s.space()
	}
}

// SetMember returns a copy of the object that text is, with value, which is JSON, as the member called name. Like an
// assignment in JavaScript it keeps the place of a member that is there, and puts a new one last. Of a name that is
// there twice the first is set. What is no object is returned as it is; what is not known to be JSON must be scanned
// first.
func SetMember(text []byte, name string, value []byte) []byte {
	s := scanner{text: text, left: math.MaxInt}
	found, count := false, 0
	s.members(func(key, old []byte) bool {
		count++
		if found = Unquote(key) == name; found {
			text = splice(text, s.pos-len(old), s.pos, value)
		}
		return !found
	})
	if found || s.peek() != '}' {
		return text
	}
	var member []byte
	if count > 0 {
		member = append(member, ',')
	}
	member = append(AppendString(member, name), ':')
	return splice(text, s.pos, s.pos, append(member, value...))
}

// splice returns a copy of text with the bytes from start up to end replaced.
func splice(text []byte, start, end int, with []byte) []byte {
	out := make([]byte, 0, len(text)-(end-start)+len(with))
	out = append(out, text[:start]...)
	out = append(out, with...)
	return append(out, text[end:]...)
}
