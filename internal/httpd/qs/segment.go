package qs

import (
	"strings"

	"github.com/backstage/functions/sandbox/rawjson"
)

// segment is one part of a parameter's name: "a[b][]" has a, [b] and [].
type segment struct {
	name      string // without its brackets
	bracketed bool
}

// appendSegments takes name apart: the text before the first bracket, up to maxDepth pairs of brackets, and all that
// follows them, from the next pair on, as one more. Text outside of brackets is otherwise skipped.
func appendSegments(dst []segment, name string) []segment {
	if i := strings.IndexAny(name, "[]"); i != 0 {
		if i < 0 {
			i = len(name)
		}
		dst = append(dst, segment{name: name[:i]})
		name = name[i:]
	}
	for depth := 0; ; depth++ {
		from, to := brackets(name)
		if to < 0 {
			return dst
		}
		if depth == maxDepth {
			return append(dst, segment{name: name[from:], bracketed: true})
		}
		dst = append(dst, segment{name: name[from+1 : to], bracketed: true})
		name = name[to+1:]
	}
}

// brackets finds the first pair of brackets in s that has no bracket inside; to is -1 when there is none.
func brackets(s string) (from, to int) {
	from = -1
	for i := range len(s) {
		switch {
		case s[i] == '[':
			from = i
		case s[i] == ']' && from >= 0:
			return from, i
		}
	}
	return from, -1
}

// wrap puts v into the list or object that s asks for.
func (s segment) wrap(v *Value) *Value {
	if s.bracketed && s.name == "" {
		if v.kind == List {
			return v
		}
		return &Value{kind: List, items: []*Value{v}}
	}
	if n, ok := rawjson.ArrayIndex(s.name); ok && s.bracketed && n <= maxIndex {
		items := make([]*Value, n+1)
		items[n] = v
		return &Value{kind: List, items: items}
	}
	object := &Value{kind: Object}
	object.set(s.name, v)
	return object
}
