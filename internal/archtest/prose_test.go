package archtest

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxProse is how many characters a line of prose may have. Rows of tables and code may be longer.
const maxProse = 120

// avoided are words that make a sentence hard to read, with what to write in their place.
var avoided = []struct {
	words   *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?i)\bfor ever\b`), "forever, without end, permanently"},
	{regexp.MustCompile(`(?i)\bat the least\b`), "at least"},
	{regexp.MustCompile(`(?i)\bat the most\b`), "at most"},
	{regexp.MustCompile(`(?i)\bwho(ever|so)\b`), "anyone who, or the role: the caller, the operator"},
	{regexp.MustCompile(`(?i)\bcontrol groups?\b`), "cgroup"},
	{regexp.MustCompile(`(?i)\bfor want of\b`), "for lack of"},
	{regexp.MustCompile(`(?i)\bevery ?body who\b`), "everyone who"},
	{regexp.MustCompile(`(?i)\bif need be\b`), "if needed"},
	{regexp.MustCompile(`(?i)\bobituar(y|ies)\b`), "report of a death"},
}

// TestProseIsEasyToRead looks at every page: short lines, and plain words outside of code.
func TestProseIsEasyToRead(t *testing.T) {
	code := regexp.MustCompile("`[^`]*`")
	for name, text := range pages(t) {
		if name == "CHANGELOG.md" {
			text, _, _ = strings.Cut(text, "\n## [0") // releases stay as they were published
		}
		fence := false
		for i, line := range strings.Split(text, "\n") {
			trimmed := strings.TrimSpace(line)
			if strings.HasPrefix(trimmed, "```") {
				fence = !fence
			}
			if fence {
				continue
			}
			if n := utf8.RuneCountInString(line); n > maxProse && !strings.HasPrefix(trimmed, "|") {
				t.Errorf("%s:%d: %d characters, at most %d", name, i+1, n, maxProse)
			}
			for _, avoid := range avoided {
				if found := avoid.words.FindString(code.ReplaceAllString(line, "")); found != "" {
					t.Errorf("%s:%d: %q: write %s", name, i+1, found, avoid.instead)
				}
			}
		}
	}
}
