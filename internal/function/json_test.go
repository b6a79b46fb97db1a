package function

import (
	"encoding/json"
	"testing"
)

func TestPlainJSONStringsSteerNothing(t *testing.T) {
	for text, want := range map[string]string{
		"":                        `""`,
		"plain é 💥 \"quoted\" \\": `"plain é 💥 \"quoted\" \\"`,
		"\x00\n\r\t\x1b[31m":      `"\u0000\n\r\t\u001b[31m"`,
		"\x7f\u0080\u009b2J\u009f\u00a0é\u2028\u2029\u202a\"\n":                     `"\u007f\u0080\u009b2J\u009f` + "\u00a0é" + `\u2028\u2029\u202a\"\n"`,
		"a\u202eb\u2066c\u200bd\u00ade\ufeff\U000e0041\U000e0100\ufe0f\u3164\u200d": `"a\u202eb\u2066c\u200bd\u00ade\ufeff\udb40\udc41\udb40\udd00\ufe0f\u3164\u200d"`,
	} {
		got := AppendPlainJSONString([]byte("x"), text)
		if string(got) != "x"+want {
			t.Errorf("%q is written %s, want x%s", text, got, want)
		}
		var back string
		if err := json.Unmarshal(got[1:], &back); err != nil || back != text {
			t.Errorf("%q is read back as %q, %v", text, back, err)
		}
	}
}
