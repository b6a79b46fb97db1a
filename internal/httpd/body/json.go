package body

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/backstage/functions/sandbox/rawjson"
)

// whiteSpace is the white space of JSON.
const whiteSpace = " \t\r\n"

// checkStrict refuses every text, even a faulty one, that does not start like an object or array.
func checkStrict(text []byte) error {
	rest := bytes.TrimLeft(text, whiteSpace)
	if len(rest) > 0 && (rest[0] == '{' || rest[0] == '[') {
		return nil
	}
	return badRequest("Unexpected token "+firstChar(text[:len(text)-len(rest)], rest), nil)
}

// firstChar is the character that body-parser reports for a text of space and rest: the first one of rest or, when that
// is a line terminator or missing, the last blank or tab of space, or else nothing.
func firstChar(space, rest []byte) string {
	if r, size := utf8.DecodeRune(rest); size > 0 && r != '\u2028' && r != '\u2029' {
		return codeUnit(r)
	}
	if i := bytes.LastIndexAny(space, " \t"); i >= 0 {
		return string(space[i])
	}
	return ""
}

// DefaultDepth is how deep objects and arrays may nest, and MaxDepth the most that may be allowed: parsers that
// recurse, here and in the functions, stay away from the end of their stacks.
const (
	DefaultDepth = 1000
	MaxDepth     = 5000
)

// checkJSON says what is wrong with text, which must be valid UTF-8, in the words of Node.js 8's JSON.parse.
func checkJSON(text []byte, depth int) error {
	found := rawjson.Scan(text, depth)
	if found.OK {
		return nil
	}
	return badRequest(fault(text, found, depth), nil)
}

// fault describes what stands where scanning stopped. V8 counts positions in UTF-16 code units.
func fault(text []byte, found rawjson.Outcome, depth int) string {
	before, rest := text[:found.Stopped], text[found.Stopped:]
	if len(rest) == 0 {
		return "Unexpected end of JSON input"
	}
	position := codeUnits(before)
	r, _ := utf8.DecodeRune(rest)
	switch {
	case found.TooDeep:
		return fmt.Sprintf(
			"JSON is nested deeper than %d levels at position %d: the limit is BODY_PARSER_DEPTH",
			depth,
			position,
		)
	case r == '"':
		return fmt.Sprintf("Unexpected string in JSON at position %d", position)
	case r == '-' || '0' <= r && r <= '9':
		return fmt.Sprintf("Unexpected number in JSON at position %d", position)
	}
	return fmt.Sprintf("Unexpected token %s in JSON at position %d", codeUnit(r), position)
}

// codeUnits is the length of text in UTF-16 code units.
func codeUnits(text []byte) int {
	n := 0
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		n += utf16.RuneLen(r)
		text = text[size:]
	}
	return n
}

// codeUnit is the first UTF-16 code unit of r. Half of a surrogate pair is U+FFFD in UTF-8.
func codeUnit(r rune) string {
	if utf16.RuneLen(r) > 1 {
		r = utf8.RuneError
	}
	return string(r)
}
