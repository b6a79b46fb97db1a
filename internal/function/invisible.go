package function

import "unicode"

// IsInvisible says whether r changes a text without being seen in it, or could: control characters, which may steer a terminal or end a line;
// line and paragraph separators; what turns the direction of writing, joins or separates without a mark; tags, fillers and variation
// selectors, in which whole messages can hide. Ordinary spaces are none.
func IsInvisible(r rune) bool {
	if r < 0xa0 {
		return r < 0x20 || r >= 0x7f
	}
	return r == '\u2028' || r == '\u2029' ||
		unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
