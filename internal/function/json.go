package function

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendJSONString appends s as a JSON string exactly as JSON.stringify writes it: only quotes, backslashes and control
// characters are escaped; '<', '>', '&', U+2028 and U+2029 stay as they are. Invalid UTF-8 becomes U+FFFD.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if b >= 0x20 && b != '"' && b != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, b)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[start:i]...)
			dst = utf8.AppendRune(dst, utf8.RuneError)
			start = i + 1
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&0xf])
}

// AppendPlainJSONString appends s as a JSON string too, and escapes beside what a reader could not see, or a terminal take for a command:
// IsInvisible says what that is.
func AppendPlainJSONString(dst []byte, s string) []byte {
	if strings.IndexFunc(s, hides) < 0 {
		return AppendJSONString(dst, s)
	}
	return AppendPlainJSON(dst, AppendJSONString(nil, s))
}

// AppendPlainJSON appends a JSON text and escapes the same in its strings.
func AppendPlainJSON(dst, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if hides(r) {
			dst = AppendUnicodeEscape(dst, r)
		} else {
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
	}
	return dst
}

// AppendUnicodeEscape appends r as \uXXXX, or as two of these above U+FFFF.
func AppendUnicodeEscape(dst []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return AppendUnicodeEscape(AppendUnicodeEscape(dst, high), low)
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
}

// hides says whether r is one of those that AppendJSONString leaves.
func hides(r rune) bool { return r >= 0x7f && IsInvisible(r) }
