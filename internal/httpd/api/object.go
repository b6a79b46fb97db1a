package api

import (
	"encoding/json"
	"strconv"

	"github.com/backstage/functions/internal/function"
)

// object builds a JSON object whose members stand in the order in which they are added, escaped as JSON.stringify does.
type object struct{ text []byte }

func newObject() *object { return newObjectOf(0) }

// newObjectOf is newObject of one that will have texts of so many bytes: some room for their escapes is there from the start.
func newObjectOf(bytes int) *object {
	return &object{append(make([]byte, 0, bytes+bytes/8+128), '{')}
}

// raw adds a member whose value is JSON already.
func (o *object) raw(name string, value json.RawMessage) {
	o.key(name)
	o.text = append(o.text, value...)
}

func (o *object) string(name, value string) {
	o.key(name)
	o.text = function.AppendJSONString(o.text, value)
}

func (o *object) int(name string, value int) {
	o.key(name)
	o.text = strconv.AppendInt(o.text, int64(value), 10)
}

// optional adds a member that is null when value is nil.
func (o *object) optional(name string, value *string) {
	if value == nil {
		o.raw(name, json.RawMessage("null"))
		return
	}
	o.string(name, *value)
}

func (o *object) texts(name string, values []string) {
	list := []byte{'['}
	for i, value := range values {
		if i > 0 {
			list = append(list, ',')
		}
		list = function.AppendJSONString(list, value)
	}
	o.raw(name, append(list, ']'))
}

func (o *object) key(name string) {
	if len(o.text) > 1 {
		o.text = append(o.text, ',')
	}
	o.text = append(function.AppendJSONString(o.text, name), ':')
}

// end returns the finished object; nothing can be added after it.
func (o *object) end() []byte { return append(o.text, '}') }
