package rawjson

import (
	"strconv"
	"time"
)

// Timestamp is the layout of a time in UTC with milliseconds, as Date.prototype.toISOString writes it (ECMA-262).
const Timestamp = "2006-01-02T15:04:05.000Z"

// Object builds a JSON object whose members stand in the order in which they are added. Use NewObject. Names that are
// added twice stand there twice.
type Object struct{ text []byte }

// NewObject begins an object at the end of dst. Nil has a buffer made that most objects fit into.
func NewObject(dst []byte) Object {
	if dst == nil {
		dst = make([]byte, 0, 128)
	}
	return Object{append(dst, '{')}
}

// ExtendObject begins where object, the text of one without white space behind it, ends, so that more members can be
// added. The bytes of object are used.
func ExtendObject(object []byte) Object { return Object{object[:len(object)-1]} }

// Raw adds a member whose value is JSON already.
func (o *Object) Raw(name string, value []byte) { o.text = append(o.key(name), value...) }

// String adds a string, written as AppendString does.
func (o *Object) String(name, value string) { o.text = AppendString(o.key(name), value) }

// Visible adds a string, written as AppendVisible does.
func (o *Object) Visible(name, value string) { o.text = AppendVisible(o.key(name), value) }

// Int adds a whole number.
func (o *Object) Int(name string, value int64) { o.text = strconv.AppendInt(o.key(name), value, 10) }

// Time adds a string that is the time in UTC, in the layout of Timestamp.
func (o *Object) Time(name string, value time.Time) {
	text := append(o.key(name), '"')
	o.text = append(value.UTC().AppendFormat(text, Timestamp), '"')
}

// Strings adds an array of strings.
func (o *Object) Strings(name string, values []string) {
	o.text = append(o.key(name), '[')
	for i, value := range values {
		if i > 0 {
			o.text = append(o.text, ',')
		}
		o.text = AppendString(o.text, value)
	}
	o.text = append(o.text, ']')
}

// key returns the text with the name of the next member, which the value must follow.
func (o *Object) key(name string) []byte {
	text := o.text
	if text[len(text)-1] != '{' { // no value ends in that
		text = append(text, ',')
	}
	if !isPlain(name) {
		return append(AppendString(text, name), ':')
	}
	text = append(append(text, '"'), name...)
	return append(text, `":`...)
}

// End returns the text with the finished object. Nothing can be added afterwards.
func (o *Object) End() []byte { return append(o.text, '}') }
