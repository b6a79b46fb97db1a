package bundle

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/evanw/esbuild/pkg/api"
)

// plainJSON is a tsconfig.json without comments, trailing commas and byte order mark; every other byte keeps its place.
func plainJSON(text []byte) []byte {
	out := bytes.Clone(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	comma := -1 // the last comma that nothing but space follows
	for i := 0; i < len(out); i++ {
		switch c := out[i]; {
		case c == '"':
			i, comma = endOfString(out, i), -1
		case c == '/' && i+1 < len(out) && (out[i+1] == '/' || out[i+1] == '*'):
			end := endOfComment(out, i)
			for ; i < end; i++ {
				if out[i] != '\n' && out[i] != '\r' {
					out[i] = ' '
				}
			}
			i--
		case c == ',':
			comma = i
		case c == '}' || c == ']':
			if comma >= 0 {
				out[comma] = ' '
			}
			comma = -1
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			comma = -1
		}
	}
	return out
}

// endOfString is the index of the quote that ends a string, or of the last byte.
func endOfString(text []byte, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text) - 1
}

// endOfComment is the index behind a comment.
func endOfComment(text []byte, start int) int {
	end, after := []byte("\n"), 0
	if text[start+1] == '*' {
		end, after = []byte("*/"), 2
	}
	if i := bytes.Index(text[start+2:], end); i >= 0 {
		return start + 2 + i + after
	}
	return len(text)
}

// jsonString is a string in a JSON text: its value, its place in bytes, and the keys that lead to it. "[]" stands for
// an element of an array.
type jsonString struct {
	value      string
	start, end int
	keys       []string
}

// in says whether the string is below these keys.
func (s jsonString) in(keys ...string) bool {
	if len(s.keys) < len(keys) {
		return false
	}
	for i, key := range keys {
		if s.keys[i] != key {
			return false
		}
	}
	return true
}

// stringsOf are all strings of a JSON text that are values, those of keys that are there twice included. For a text
// that is no JSON, cut is the length of its part up to the fault, which is no JSON either.
func stringsOf(text []byte) (found []jsonString, cut int, ok bool) {
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		cut = len(text)
		if fault := (*json.SyntaxError)(nil); errors.As(err, &fault) {
			cut = min(cut, int(fault.Offset))
		}
		return nil, cut, false
	}
	walk := walker{text: text, decoder: json.NewDecoder(bytes.NewReader(text))}
	walk.value(nil)
	return walk.found, 0, true
}

// walker goes through a valid JSON text.
type walker struct {
	text    []byte
	decoder *json.Decoder
	found   []jsonString
}

func (w *walker) value(keys []string) {
	before := int(w.decoder.InputOffset())
	token, err := w.decoder.Token()
	if err != nil {
		return
	}
	switch token := token.(type) {
	case string:
		end := int(w.decoder.InputOffset())
		start := before + bytes.IndexByte(w.text[before:end], '"')
		w.found = append(w.found, jsonString{token, start, end, append([]string(nil), keys...)})
	case json.Delim:
		for w.decoder.More() {
			key := "[]"
			if token == '{' {
				name, err := w.decoder.Token()
				if err != nil {
					return
				}
				key, _ = name.(string)
			}
			w.value(append(keys, key))
		}
		_, _ = w.decoder.Token() // the text is valid: this is its end
	}
}

// messageAt is a fault at a place of a file.
func messageAt(file string, text []byte, at int, says, hint string) Message {
	start := bytes.LastIndexByte(text[:at], '\n') + 1
	end := len(text)
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		end = at + i
	}
	line := string(text[start:end])
	return Message{
		File: file, Line: bytes.Count(text[:at], []byte("\n")) + 1,
		Column:   columnOf(&api.Location{LineText: line, Column: at - start}),
		LineText: around(line, at-start), Text: says, Hint: hint,
	}
}
