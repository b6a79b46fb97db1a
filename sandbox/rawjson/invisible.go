package rawjson

import (
	"unicode"
	"unicode/utf8"
)

// AppendInvisibleEscaped appends text, which is JSON, and escapes the characters in its strings that AppendVisible
// escapes.
func AppendInvisibleEscaped(dst, text []byte) []byte {
	start := 0
	for i := 0; i < len(text); {
		if text[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if IsInvisible(r) {
			dst = AppendEscape(append(dst, text[start:i]...), r)
			start = i + size
		}
		i += size
	}
	return append(dst, text[start:]...)
}

// IsInvisible says whether r changes a text without being seen in it, or could: control characters, which terminals
// obey and which end lines; line and paragraph separators; what turns the direction of writing, joins or separates
// without a mark; tags, fillers and variation selectors, in which whole messages can hide. Ordinary spaces are visible.
func IsInvisible(r rune) bool {
	if r < 0 || r > 0xffff {
		return unicode.In(r, invisibleTables...)
	}
	return invisible[r>>6]>>(r&63)&1 != 0
}

// invisibleTables are those of Unicode's tables that hold invisible characters alone.
var invisibleTables = []*unicode.RangeTable{
	unicode.Cc, unicode.Zl, unicode.Zp, unicode.Cf, unicode.Variation_Selector,
	unicode.Other_Default_Ignorable_Code_Point,
}

// invisible has a bit for each character of the first plane: whole logs are asked, and the tables take ten times as
// long.
var invisible = func() (bits [1 << 16 / 64]uint64) {
	for _, table := range invisibleTables {
		for _, some := range table.R16 {
			for r := uint32(some.Lo); r <= uint32(some.Hi); r += uint32(some.Stride) {
				bits[r>>6] |= 1 << (r & 63)
			}
		}
	}
	return bits
}()
