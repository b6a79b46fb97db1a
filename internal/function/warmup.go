package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/backstage/functions/internal/members"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Limits of Warmup.
const (
	maxWarmup      = 64 << 10 // bytes of all of it
	maxWarmupTimes = 1000
	maxWarmupLevel = 1000 // of nested JSON
)

// Warmup is a request that workers which are put back serve before their snapshot. The zero value says that there is
// none.
type Warmup struct {
	On     bool
	Method string // of HTTP; empty stands for PUT
	// Headers and Query are JSON objects of strings, Body any JSON value; empty where they were left out.
	Headers, Query, Body json.RawMessage
	// Times is how often it is made; 0 stands for 1.
	Times int
}

// warmup is an option that is a Warmup: an object, or false for none.
func warmup(name string, at func(*Options) **Warmup) Option {
	option := newOption(name, at, Warmup.json, func(text string) (Warmup, bool) {
		w, err := parseWarmup([]byte(text))
		return w, err == nil
	})
	option.JSON = true
	option.sample = `{"method":"POST","headers":{"accept":"text/plain"},"query":{"a":"b"},"body":{"n":[1,2]},"times":10}`
	option.fault = func(text string) string {
		_, err := parseWarmup([]byte(text))
		return err.Error()
	}
	return option
}

// json is the inverse of parseWarmup, without white space.
func (w Warmup) json() string {
	if !w.On {
		return "false"
	}
	o := rawjson.NewObject(nil)
	if w.Method != "" {
		o.String("method", w.Method)
	}
	for _, part := range []struct {
		name  string
		value json.RawMessage
	}{{"headers", w.Headers}, {"query", w.Query}, {"body", w.Body}} {
		if len(part.value) > 0 {
			o.Raw(part.name, part.value)
		}
	}
	if w.Times > 0 {
		o.Raw("times", fmt.Append(nil, w.Times))
	}
	return string(o.End())
}

// parseWarmup reads the option. Its error is the end of a sentence that begins with its name.
func parseWarmup(text []byte) (w Warmup, err error) {
	if len(text) > maxWarmup {
		return w, fmt.Errorf(" has %d bytes, %d are the most that are taken", len(text), maxWarmup)
	}
	if string(text) == "false" {
		return w, nil
	}
	given, err := members.Of(text, ", and not false")
	if err != nil {
		return w, err
	}
	if !rawjson.Scan(text, maxWarmupLevel).OK {
		return w, fmt.Errorf(" is nested more than %d levels deep", maxWarmupLevel)
	}
	w.On = true
	if err := members.Set(given, w.set); err != nil {
		return Warmup{}, err
	}
	return w, nil
}

// set reads one member.
func (w *Warmup) set(name string, value json.RawMessage) error {
	known := []string{"method", "headers", "query", "body", "times"}
	switch name {
	case "method":
		if json.Unmarshal(value, &w.Method) != nil || !httpguts.ValidHeaderFieldName(w.Method) { // both are tokens
			return errors.New(".method is no method of HTTP")
		}
		w.Method = strings.ToUpper(w.Method)
		return nil
	case "headers", "query":
		return w.setTexts(name, value)
	case "body":
		w.Body = slices.Clone(value)
		return nil
	case "times":
		if json.Unmarshal(value, &w.Times) != nil || w.Times < 1 || w.Times > maxWarmupTimes {
			return fmt.Errorf(".times is not a whole number from 1 to %d", maxWarmupTimes)
		}
		return nil
	}
	return members.Unknown(name, known...)
}

// setTexts reads an object of strings. The names of headers become lower-case, as requests have them.
func (w *Warmup) setTexts(name string, value json.RawMessage) error {
	var texts map[string]string
	if json.Unmarshal(value, &texts) != nil || texts == nil {
		return fmt.Errorf(".%s is not an object of strings", name)
	}
	if name == "headers" {
		lower := make(map[string]string, len(texts))
		for key, text := range texts {
			if !httpguts.ValidHeaderFieldName(key) || !httpguts.ValidHeaderFieldValue(text) {
				return fmt.Errorf(".headers has %q, whose name or value no header can have", key)
			}
			lower[strings.ToLower(key)] = text
		}
		if len(lower) < len(texts) {
			return errors.New(".headers has a name twice, in different case")
		}
		texts = lower
	}
	written, err := json.Marshal(texts) // sorted by name
	if err != nil {
		return fmt.Errorf(".%s cannot be written: %w", name, err)
	}
	if name == "headers" {
		w.Headers = written
	} else {
		w.Query = written
	}
	return nil
}
