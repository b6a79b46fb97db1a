package qs

import "strings"

// The limits of qs, which express does not change.
const (
	maxParams = 1000 // parameters that are read; the rest is ignored
	maxDepth  = 5    // brackets of a name that nest; the rest is one name
	maxIndex  = 20   // highest number that is an index of a list; above it is a name
)

// empty is the result of an empty query string.
var empty = &Value{kind: Object}

// Parse reads rawQuery, the part of a URL after its question mark. It accepts every string and always returns an
// Object. A name or value whose bytes are not UTF-8 is Latin-1. Time and memory grow linearly with the length of
// rawQuery.
func Parse(rawQuery string) *Value {
	if rawQuery == "" {
		return empty
	}
	params := split(rawQuery)
	root := &Value{kind: Object}
	for _, p := range params.members {
		root = merge(root, nest(p.name, p.value))
	}
	root.finish()
	return root
}

// split reads the parameters, their names not yet taken apart, in JavaScript's key order. A name given more than once
// has a List, unless its last use was without "=", which forgets the earlier values.
func split(query string) *record {
	params := &record{}
	for more, n := true, 0; more && n < maxParams; n++ {
		var part string
		part, query, more = strings.Cut(query, "&")
		name, value, valued := cutParam(part)
		name = decode(name)
		text := &Value{text: decode(value)}
		if i := params.find(name); valued && i >= 0 {
			text = appendItem(params.members[i].value, text)
		}
		params.set(name, text)
	}
	params.sort()
	return params
}

// cutParam cuts part at its first "]=", or else at its first "=", which then may stand inside brackets.
func cutParam(part string) (name, value string, valued bool) {
	if i := strings.Index(part, "]="); i >= 0 {
		return part[:i+1], part[i+2:], true
	}
	return strings.Cut(part, "=")
}

// nest builds the value that the single parameter called name stands for: leaf inside one list or object for each part
// of name. It is nil for a parameter without a name and leaf itself when name consists of stray brackets only.
func nest(name string, leaf *Value) *Value {
	if name == "" {
		return nil
	}
	var room [maxDepth + 2]segment
	segments := appendSegments(room[:0], name)
	for i := len(segments) - 1; i >= 0; i-- {
		leaf = segments[i].wrap(leaf)
	}
	return leaf
}
