package function

import (
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendJSONString appends s as a JSON string exactly as JSON.stringify writes it: only quotes, backslashes and control
// characters are escaped; '<', '>', '&', U+2028 and U+2029 stay as they are. Invalid UTF-8 becomes U+FFFD.
func AppendJSONString(dst []byte, s string) []byte {
	return appendString(dst, s, &stringified, nothing)
}

// AppendPlainJSONString appends s as a JSON string too, and escapes beside what a reader could not see, or a terminal take for a command:
// IsInvisible says what that is.
func AppendPlainJSONString(dst []byte, s string) []byte {
	return appendString(dst, s, &plain, IsInvisible)
}

// stringified and plain say of each byte whether it stands as it is in what the two above append.
var (
	stringified = standing(utf8.RuneSelf)
	plain       = standing(0x7f)
)

// standing are the bytes below end that need no escape.
func standing(end int) (bytes [256]bool) {
	for b := ' '; b < rune(end); b++ {
		bytes[b] = b != '"' && b != '\\'
	}
	return bytes
}

func nothing(rune) bool { return false }

// appendString appends s as a JSON string. Stands says which bytes need no escape, hidden which characters of several bytes are to have one.
func appendString(dst []byte, s string, stands *[256]bool, hidden func(rune) bool) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if stands[b] {
			i++
			continue
		}
		r, size := rune(b), 1
		if b >= utf8.RuneSelf {
			if r, size = utf8.DecodeRuneInString(s[i:]); (r != utf8.RuneError || size > 1) && !hidden(r) {
				i += size
				continue
			}
		}
		if start < i {
			dst = append(dst, s[start:i]...)
		}
		switch {
		case b < utf8.RuneSelf:
			dst = append(dst, escapes[b]...)
		case r == utf8.RuneError:
			dst = utf8.AppendRune(dst, r)
		default:
			dst = AppendUnicodeEscape(dst, r)
		}
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// escapes are those of the bytes that a JSON string cannot hold as they are, and of the one that some terminals take for a command.
var escapes = func() (texts [utf8.RuneSelf]string) {
	for b := range texts {
		texts[b] = `\u00` + string(hexDigits[b>>4]) + string(hexDigits[b&0xf])
	}
	for b, short := range map[byte]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`} {
		texts[b] = short
	}
	return texts
}()

// AppendPlainJSON appends a JSON text and escapes the same in its strings.
func AppendPlainJSON(dst, text []byte) []byte {
	start := 0
	for i := 0; i < len(text); {
		if text[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if IsInvisible(r) {
			dst = AppendUnicodeEscape(append(dst, text[start:i]...), r)
			start = i + size
		}
		i += size
	}
	return append(dst, text[start:]...)
}

// AppendUnicodeEscape appends r as \uXXXX, or as two of these above U+FFFF.
func AppendUnicodeEscape(dst []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return AppendUnicodeEscape(AppendUnicodeEscape(dst, high), low)
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
}
