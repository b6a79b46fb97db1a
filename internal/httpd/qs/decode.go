package qs

import (
	"strings"
	"unicode/utf8"

	"github.com/backstage/functions/internal/httpd/latin1"
)

// decode turns plus signs into spaces and resolves percent-encoded UTF-8. When any of it is broken s comes back as it
// is, plus signs included. Bytes that are not encoded are Latin-1 unless all of them together are UTF-8.
func decode(s string) string {
	s = latin1.DecodeUnlessUTF8(s)
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		switch s[i] {
		case '+':
			out = append(out, ' ')
			i++
		case '%':
			var char [utf8.UTFMax]byte
			n := decodeChar(&char, s[i:])
			if n == 0 {
				return s
			}
			out = append(out, char[:n]...)
			i += n * len("%00")
		default:
			out = append(out, s[i])
			i++
		}
	}
	return string(out)
}

// decodeChar reads the one character whose bytes s encodes at its start, and returns how many bytes it has; 0 when they
// are not the UTF-8 form of a character (RFC 3629), as decodeURIComponent demands.
func decodeChar(char *[utf8.UTFMax]byte, s string) int {
	for n := range char {
		if len(s) < 3 || s[0] != '%' {
			return 0
		}
		high, low := unhex(s[1]), unhex(s[2])
		if high == notHex || low == notHex {
			return 0
		}
		char[n] = high<<4 | low
		if utf8.FullRune(char[:n+1]) {
			if r, size := utf8.DecodeRune(char[:n+1]); r == utf8.RuneError && size == 1 {
				return 0
			}
			return n + 1
		}
		s = s[3:]
	}
	return 0
}

const notHex = 0xFF

// unhex is the value of the hexadecimal digit c, or notHex.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return notHex
}
