// Package qs reads query strings into trees of text, lists and objects, exactly as the npm module qs 6.2 does with the
// option allowPrototypes: "a[b]=1&c[]=2" is {"a":{"b":"1"},"c":["2"]}.
package qs

import (
	"iter"

	"github.com/backstage/functions/sandbox/rawjson"
)

// Kind says what a Value is.
type Kind uint8

// The kinds of value.
const (
	// Text is a string.
	Text Kind = iota
	// List is an array.
	List
	// Object is a set of named values.
	Object
	// True is the literal true. It stands where a name is used both as an object and as plain text: qs keeps the text
	// as the name of a member, so that "a[b]=1&a=c" is {"a":{"b":"1","c":true}}.
	True
)

// Value is one node of a parsed query string. Parse alone makes Values; they never change afterwards, so any number of
// goroutines may read them.
type Value struct {
	kind  Kind
	text  string   // of a Text, valid UTF-8
	items []*Value // of a List; a nil item is a hole, which finish removes
	record
}

// Kind says which of the other methods tell something about v.
func (v *Value) Kind() Kind { return v.kind }

// Text is the string of a Text and empty for every other kind. It is valid UTF-8.
func (v *Value) Text() string { return v.text }

// List returns the items of a List and nil for every other kind. The caller must not change the slice.
func (v *Value) List() []*Value { return v.items }

// Get returns the member of an Object called name and whether there is one; other kinds have none.
func (v *Value) Get(name string) (*Value, bool) {
	if i := v.find(name); i >= 0 {
		return v.members[i].value, true
	}
	return nil, false
}

// Members returns the names and values of an Object in JavaScript's key order; other kinds have none.
func (v *Value) Members() iter.Seq2[string, *Value] {
	return func(yield func(string, *Value) bool) {
		for _, m := range v.members {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

// AppendJSON appends v as JSON.stringify writes it: members in JavaScript's key order (array indices ascending, then
// the others as they came), no spaces, no escapes beyond the necessary ones.
func (v *Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case List:
		dst = append(dst, '[')
		for i, item := range v.items {
			dst = item.AppendJSON(appendComma(dst, i))
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, m := range v.members {
			dst = rawjson.AppendString(appendComma(dst, i), m.name)
			dst = m.value.AppendJSON(append(dst, ':'))
		}
		return append(dst, '}')
	case True:
		return append(dst, "true"...)
	default:
		return rawjson.AppendString(dst, v.text)
	}
}

func appendComma(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ',')
}

// finish gives v and all below it their final form: lists without holes, members in JavaScript's key order.
func (v *Value) finish() {
	kept := v.items[:0]
	for _, item := range v.items {
		if item != nil {
			item.finish()
			kept = append(kept, item)
		}
	}
	v.items = kept
	v.sort()
	for _, m := range v.members {
		m.value.finish()
	}
}
