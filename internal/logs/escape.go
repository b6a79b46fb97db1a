package logs

import "unicode/utf8"

// appendLine appends s without anything that could end the line or steer a terminal. Tabs, quotes and backslashes stay.
func appendLine(dst []byte, s string) []byte {
	return appendEscaped(dst, s, func(r rune) bool { return isControl(r) && r != '\t' })
}

// appendField does the same for a part of a line that may stand in quotes.
func appendField(dst []byte, s string) []byte {
	return appendEscaped(dst, s, func(r rune) bool { return isControl(r) || r == '"' || r == '\\' })
}

// isControl says whether r is a control character or one of the two line breaks that are none.
func isControl(r rune) bool {
	return r < 0x20 || 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029'
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
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
