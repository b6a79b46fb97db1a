package worker

import (
	"regexp"
	"strings"
)

// ofV8 are the lines of a dying V8 that say nothing of the cause: its own frames, addresses and the table of its
// collections.
var ofV8 = regexp.MustCompile(`^\s*$` +
	`|^\s*\d+: 0x[0-9a-f]+(?: |$)` + // a frame, and below that of Node.js 8
	`|^\s*\d+: .*\[[^\]]*\]` +
	`|^<--- .* --->$` +
	`|^=+ (?:JS stack trace|Details|Key) =+` +
	`|^-+ (?:Native|JavaScript) stack trace -+$` +
	`|^\[\d+:0x[0-9a-f]+\] ` +
	`|^Security context: ` +
	`|^#(?: |$)` +
	`|^(?:Trace/breakpoint trap|Aborted)`)

// lastWords is what is worth to be kept of what a process wrote to stderr before it died: all but what V8 prints of
// itself. When that is everything, it stays.
func lastWords(stderr string) string {
	var kept []string
	for line := range strings.Lines(stderr) {
		if line = strings.TrimRight(line, "\r\n"); !ofV8.MatchString(line) {
			kept = append(kept, line)
		}
	}
	if len(kept) == 0 {
		return stderr
	}
	return strings.Join(kept, "\n")
}
