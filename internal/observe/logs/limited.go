package logs

import (
	"strings"
	"unicode/utf8"
)

// limitedText is a text of at most so many characters; the rest is dropped and a mark left.
type limitedText struct {
	text strings.Builder
	left int
	cut  bool
}

func (t *limitedText) add(s string) {
	length := utf8.RuneCountInString(s)
	if length <= t.left {
		t.left -= length
		t.text.WriteString(s)
		return
	}
	t.cut = true
	for at := range s {
		if t.left == 0 {
			t.text.WriteString(s[:at])
			return
		}
		t.left--
	}
}

func (t *limitedText) String() string {
	if t.cut {
		return t.text.String() + "\ntruncated"
	}
	return t.text.String()
}

// lineMark ends a line that was cut off.
const lineMark = "[line truncated]"

// cutLine returns text, of a longer one what begins it and a mark. A character is not cut in two.
func cutLine(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + lineMark
}
