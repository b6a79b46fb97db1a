package rawjson

import (
	"encoding/json"
	"testing"
	"unicode"
)

func TestVisibleStringsHideNothing(t *testing.T) {
	for text, want := range map[string]string{
		"":                        `""`,
		"plain é 💥 \"quoted\" \\": `"plain é 💥 \"quoted\" \\"`,
		"\x00\n\r\t\x1b[31m":      `"\u0000\n\r\t\u001b[31m"`,
		"\x7f\u0080\u009b2J\u009f\u00a0é\u2028\u2029\u202a\"\n":                     `"\u007f\u0080\u009b2J\u009f` + "\u00a0é" + `\u2028\u2029\u202a\"\n"`,
		"a\u202eb\u2066c\u200bd\u00ade\ufeff\U000e0041\U000e0100\ufe0f\u3164\u200d": `"a\u202eb\u2066c\u200bd\u00ade\ufeff\udb40\udc41\udb40\udd00\ufe0f\u3164\u200d"`,
	} {
		got := AppendVisible([]byte("x"), text)
		if string(got) != "x"+want {
			t.Errorf("%q is written %s, want x%s", text, got, want)
		}
		var back string
		if err := json.Unmarshal(got[1:], &back); err != nil || back != text {
			t.Errorf("%q is read back as %q, %v", text, back, err)
		}
	}
}

func TestInvisibleAreThoseOfTheTables(t *testing.T) {
	for r := rune(-1); r <= unicode.MaxRune+1; r++ {
		want := r >= 0 && r < 0x20 || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' ||
			unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
		if IsInvisible(r) != want {
			t.Fatalf("%U: %v", r, !want)
		}
	}
}
