package function

import (
	"strings"
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

// AppendPlainJSONString appends s as a JSON string too, and escapes beside what a terminal could take for a command or a
// reader of lines for a line break: DEL, the control characters from U+0080 to U+009F, U+2028 and U+2029.
func AppendPlainJSONString(dst []byte, s string) []byte {
	if strings.IndexFunc(s, steers) < 0 {
		return AppendJSONString(dst, s)
	}
	for _, r := range string(AppendJSONString(nil, s)) {
		if steers(r) {
			dst = append(dst, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// steers says whether r is one of those that AppendJSONString leaves.
func steers(r rune) bool {
	return 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029'
}
