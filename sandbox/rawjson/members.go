package rawjson

import (
	"iter"
	"math"
)

// Members yields the name and the value of each member of the object that text is, both as JSON, in their order; a name given twice comes twice.
// It copies nothing and reads no further than it is asked to. It ends at the first fault, so what is not known to be JSON must be scanned first.
// What is no object has no members.
func Members(text []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		s := scanner{text: text, left: math.MaxInt}
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
			name := text[start:s.pos:s.pos]
			if !s.colon() {
				return
			}
			start = s.pos
			if !s.value() || !yield(name, text[start:s.pos:s.pos]) {
				return
			}
			s.space()
			if !s.accept(',') {
				return
			}
			s.space()
		}
	}
}
