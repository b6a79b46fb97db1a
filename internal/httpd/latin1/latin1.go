// Package latin1 turns the bytes of HTTP headers into text and back as Node.js does: each byte is the character of that
// code, U+0000 to U+00FF (ISO 8859-1).
package latin1

import "unicode/utf8"

// Decode returns the text that the bytes of header stand for, in UTF-8. ASCII is returned as it is.
func Decode(header string) string {
	at := indexNonASCII(header)
	if at < 0 {
		return header
	}
	text := make([]byte, 0, 2*len(header)-at)
	text = append(text, header[:at]...)
	for _, b := range []byte(header[at:]) {
		text = utf8.AppendRune(text, rune(b))
	}
	return string(text)
}

// DecodeUnlessUTF8 returns text as it is when it is UTF-8, else as Decode does. It is for what stands in URLs, which
// most clients send in UTF-8 where they do not percent-encode it.
func DecodeUnlessUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return Decode(text)
}

// Encode returns the bytes of text, which is in UTF-8, for a header. It is not ok when a character is above U+00FF, or
// text is not UTF-8.
func Encode(text string) (header string, ok bool) {
	at := indexNonASCII(text)
	if at < 0 {
		return text, true
	}
	out := append(make([]byte, 0, len(text)), text[:at]...)
	for _, r := range text[at:] { // what is not UTF-8 comes as U+FFFD
		if r > 0xff {
			return "", false
		}
		out = append(out, byte(r))
	}
	return string(out), true
}

// indexNonASCII is where the first byte stands that is not ASCII; -1 when all are.
func indexNonASCII(s string) int {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}
