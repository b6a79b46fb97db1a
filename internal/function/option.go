package function

import (
	"encoding/json"

	"github.com/backstage/functions/sandbox/rawjson"
)

// Option describes one field of Options.
type Option struct {
	// Name is that of the member of requests and answers, and of the field in stores.
	Name string
	// JSON says that the text of the option is JSON by itself, such as a number; else JSON writes it as a string.
	JSON bool

	get func(*Options) (value string, ok bool)
	// set stores value and says whether it is possible; else it does nothing.
	set func(o *Options, value string) (ok bool)
	// fault is the end of a sentence about a text that set refuses.
	fault func(value string) string
	// sample is a text that Get may return.
	sample string
}

// Get is the option of o as text; ok says whether it is set.
func (p *Option) Get(o *Options) (value string, ok bool) { return p.get(o) }

// Set gives o the option that Get returned value of. It says whether value is possible, and else does nothing.
func (p *Option) Set(o *Options, value string) (ok bool) { return p.set(o, value) }

// Sample is a text that Get may return, for tests of what goes by the table.
func (p *Option) Sample() string { return p.sample }

// Parse gives o the option that a caller has written as value. Fault is the end of a sentence about what is wrong with
// it, in the words of the npm module jsonschema where it has any; empty when nothing is.
func (p *Option) Parse(o *Options, value json.RawMessage) (fault string) {
	text := string(value)
	if !p.JSON {
		if !rawjson.IsString(value) {
			return " is not of a type(s) string"
		}
		text = rawjson.Unquote(value)
	}
	if p.set(o, text) {
		return ""
	}
	return p.fault(text)
}

// Record puts the option into a JSON object with value, which Get has returned.
func (p *Option) Record(object *rawjson.Object, value string) {
	if p.JSON {
		object.Raw(p.Name, json.RawMessage(value))
	} else {
		object.String(p.Name, value)
	}
}

// Read gives o the option that Record has written as value. It says whether value is possible, and else does nothing.
func (p *Option) Read(o *Options, value json.RawMessage) (ok bool) {
	switch {
	case p.JSON:
		return p.set(o, string(value))
	case rawjson.IsString(value):
		return p.set(o, rawjson.Unquote(value))
	}
	return false
}

// newOption makes an Option of a field that write turns into its text, and read a text into its value, if that is
// possible.
func newOption[T any](name string, at func(*Options) **T, write func(T) string, read func(string) (T, bool)) Option {
	return Option{
		Name: name,
		get: func(o *Options) (string, bool) {
			if value := *at(o); value != nil {
				return write(*value), true
			}
			return "", false
		},
		set: func(o *Options, text string) bool {
			value, ok := read(text)
			if ok {
				*at(o) = &value
			}
			return ok
		},
	}
}
