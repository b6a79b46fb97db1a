package rawjson

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// IsString says whether value, which is JSON without white space before it, is a string.
func IsString(value []byte) bool { return len(value) > 0 && value[0] == '"' }

// IsObject says whether value, which is JSON without white space before it, is an object.
func IsObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

// ScanString reads the string that text begins with. When it is whole, end is the position behind its closing quote,
// else that of the first byte that is wrong. It leaves it to others whether the string is UTF-8.
func ScanString(text []byte) (end int, ok bool) {
	if !IsString(text) {
		return 0, false
	}
	s := scanner{text: text}
	ok = s.string()
	return s.pos, ok
}

// Unquote returns the text that value, a JSON string, stands for. What is not UTF-8, and half of a surrogate pair,
// becomes U+FFFD. The text of a value that is no string is empty.
func Unquote(value []byte) string {
	if len(value) < 2 || !IsString(value) {
		return ""
	}
	inside := value[1 : len(value)-1]
	if bytes.IndexByte(inside, '\\') < 0 && utf8.Valid(inside) { // it stands for itself
		return string(inside)
	}
	text, _ := jsontext.AppendUnquote(nil, value) // its error tells of nothing but what became U+FFFD
	return string(text)
}
