package rawjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string exactly as JSON.stringify writes it: only quotes, backslashes and control
// characters are escaped; '<', '>', '&', U+2028 and U+2029 stay as they are. Invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	return appendString(dst, s, &stringified, nothing)
}

// AppendVisible appends s as a JSON string too. It also escapes what a reader could not see, or a terminal would take
// for a command: see IsInvisible.
func AppendVisible(dst []byte, s string) []byte {
	return appendString(dst, s, &visible, IsInvisible)
}

// AppendASCII appends s as a JSON string of ASCII characters alone. Invalid UTF-8 becomes U+FFFD.
func AppendASCII(dst []byte, s string) []byte {
	return appendString(dst, s, &stringified, always)
}

// stringified and visible say of each byte whether the functions above append it as it is.
var (
	stringified = unescapedBelow(utf8.RuneSelf)
	visible     = unescapedBelow(0x7f)
)

// unescapedBelow are the bytes below end that need no escape.
func unescapedBelow(end int) (bytes [256]bool) {
	for b := ' '; b < rune(end); b++ {
		bytes[b] = b != '"' && b != '\\'
	}
	return bytes
}

func nothing(rune) bool { return false }

func always(rune) bool { return true }

// appendString appends s as a JSON string. Unescaped says which bytes need no escape, hidden which characters of
// several bytes are to have one.
func appendString(dst []byte, s string, unescaped *[256]bool, hidden func(rune) bool) []byte {
	dst = append(dst, '"')
	if isPlain(s) {
		return append(append(dst, s...), '"')
	}
	start := 0 // what is not appended yet
	for i := 0; i < len(s); {
		b := s[i]
		if unescaped[b] {
			i++
			continue
		}
		r, size := rune(b), 1
		if b >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
			if (r != utf8.RuneError || size > 1) && !hidden(r) {
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
		case r == utf8.RuneError && !hidden(r):
			dst = utf8.AppendRune(dst, r)
		default:
			dst = AppendEscape(dst, r)
		}
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// isPlain says whether no function above escapes anything in s. It reads eight bytes at a time; the last eight may
// overlap.
func isPlain(s string) bool {
	if len(s) < 8 {
		for i := range len(s) {
			if !visible[s[i]] {
				return false
			}
		}
		return true
	}
	for i := 0; i+8 < len(s); i += 8 {
		if !isPlainWord(word(s[i:])) {
			return false
		}
	}
	return isPlainWord(word(s[len(s)-8:]))
}

// word is the first eight bytes of s as a little-endian number. The compiler makes one load of it.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// isPlainWord says the same of eight bytes: none has its highest bit, is a DEL, a quote, a backslash or below a space.
func isPlainWord(word uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	return word&high == 0 && (word+each)&high == 0 && specialBytes(word) == 0
}

// escapes are those of the ASCII characters that may need one.
var escapes = func() (texts [utf8.RuneSelf]string) {
	for b := range texts {
		texts[b] = `\u00` + string(hexDigits[b>>4]) + string(hexDigits[b&0xf])
	}
	short := map[byte]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	for b, text := range short {
		texts[b] = text
	}
	return texts
}()

// AppendEscape appends r as \uXXXX, or as two of these above U+FFFF.
func AppendEscape(dst []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return AppendEscape(AppendEscape(dst, high), low)
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
}
