package function

import "unicode"

// IsInvisible says whether r changes a text without being seen in it, or could: control characters, which may steer a terminal or end a line;
// line and paragraph separators; what turns the direction of writing, joins or separates without a mark; tags, fillers and variation
// selectors, in which whole messages can hide. Ordinary spaces are none.
func IsInvisible(r rune) bool {
	if r < 0 || r > 0xffff {
		return unicode.In(r, hiding...)
	}
	return invisible[r>>6]>>(r&63)&1 != 0
}

// hiding are those of Unicode's tables that hold such characters alone.
var hiding = []*unicode.RangeTable{
	unicode.Cc, unicode.Zl, unicode.Zp, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point,
}

// invisible has a bit for each character of the first plane: whole logs are asked, and the tables take ten times as long.
var invisible = func() (bits [1 << 16 / 64]uint64) {
	for _, table := range hiding {
		for _, some := range table.R16 {
			for r := uint32(some.Lo); r <= uint32(some.Hi); r += uint32(some.Stride) {
				bits[r>>6] |= 1 << (r & 63)
			}
		}
	}
	return bits
}()
