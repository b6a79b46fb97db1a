package logs

import (
	"unicode/utf8"

	"github.com/backstage/functions/sandbox/rawjson"
)

// appendLine appends s without anything that could end the line, be a command to a terminal or be invisible. Tabs,
// quotes and backslashes are kept.
func appendLine(dst []byte, s string) []byte {
	return appendEscaped(dst, s, func(r rune) bool { return rawjson.IsInvisible(r) && r != '\t' })
}

// appendField does the same for a part of a line that may stand in quotes.
func appendField(dst []byte, s string) []byte {
	return appendEscaped(dst, s, func(r rune) bool { return rawjson.IsInvisible(r) || r == '"' || r == '\\' })
}

// Plain is text for a terminal, which others may have written a part of: nothing in it is a command to the terminal or
// invisible. Line breaks, tabs, quotes and backslashes are kept.
func Plain(text string) string {
	hidden := func(r rune) bool { return rawjson.IsInvisible(r) && r != '\t' && r != '\n' }
	return string(appendEscaped(nil, text, hidden))
}

func appendEscaped(dst []byte, s string, escape func(rune) bool) []byte {
	for _, r := range s { // invalid UTF-8 comes as U+FFFD
		if escape(r) {
			dst = appendEscape(dst, r)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

func appendEscape(dst []byte, r rune) []byte {
	switch r {
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '"', '\\':
		return append(dst, '\\', byte(r))
	}
	return rawjson.AppendEscape(dst, r)
}
