package body

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// bom is U+FEFF in UTF-8.
var bom = []byte("\uFEFF")

// A decoder turns text of its charset into UTF-8. What is no character becomes U+FFFD, so it never fails; a byte order
// mark is kept. It may return its argument.
type decoder func(text []byte) []byte

var decoders = map[string]decoder{
	"utf8":    fromUTF8,
	"utf16":   fromUTF16,
	"utf16le": func(text []byte) []byte { return decodeUTF16(text, unicode.LittleEndian) },
	"utf16be": func(text []byte) []byte { return decodeUTF16(text, unicode.BigEndian) },
}

// decoderOf finds the decoder of charset, a name in lower case.
func decoderOf(charset string) (decode decoder, known bool) {
	if charset == "utf-8" { // nearly always
		return fromUTF8, true
	}
	decode, known = decoders[canonical(charset)]
	return decode, known
}

// canonical reduces a name in lower case to its letters and digits, so that "utf-16-le" is "utf16le".
func canonical(charset string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, charset)
}

func fromUTF8(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	text, _ = unicode.UTF8.NewDecoder().Bytes(text)
	return text
}

func decodeUTF16(text []byte, order unicode.Endianness) []byte {
	even := text[:len(text)&^1] // half a code unit at the end is dropped
	text, _ = unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder().Bytes(even)
	return text
}

// fromUTF16 decodes text in the byte order that its mark names. Without a mark the order is guessed: JSON has many
// ASCII characters, whose high byte is zero. In doubt it is little endian.
func fromUTF16(text []byte) []byte {
	switch {
	case bytes.HasPrefix(text, []byte{0xFE, 0xFF}):
		return decodeUTF16(text, unicode.BigEndian)
	case bytes.HasPrefix(text, []byte{0xFF, 0xFE}):
		return decodeUTF16(text, unicode.LittleEndian)
	}
	var little, big int
	for i := 0; i+1 < min(len(text), 64); i += 2 {
		first, second := text[i], text[i+1]
		if first != 0 && second == 0 {
			little++
		} else if first == 0 && second != 0 {
			big++
		}
	}
	if big > little {
		return decodeUTF16(text, unicode.BigEndian)
	}
	return decodeUTF16(text, unicode.LittleEndian)
}
