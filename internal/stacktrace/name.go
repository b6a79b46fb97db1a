package stacktrace

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest name of a file that is shown, in bytes.
const maxName = 256

// fileName is the name of a source as its author knows it: relative to the root of what was deployed, without anything
// that would break a line of a log.
func fileName(source string) string {
	name := strings.Map(printable, strings.ToValidUTF8(source, "\uFFFD"))
	for {
		rest, ok := strings.CutPrefix(name, "../")
		if !ok {
			break
		}
		name = rest
	}
	if name == "" {
		return "?"
	}
	if name = path.Clean(name); len(name) <= maxName {
		return name
	}
	from := len(name) - maxName
	for !utf8.RuneStart(name[from]) {
		from++
	}
	return "…" + name[from:]
}

func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return unicode.ReplacementChar
	}
	return r
}
