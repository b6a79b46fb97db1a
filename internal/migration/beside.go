package migration

import (
	"regexp"
	"slices"
	"strings"
)

// What may stand beside a host, or before the object that it is in.
var (
	portBeside     = regexp.MustCompile(`(?i)\b([\w$]*?)port["']?\s*[:=]\s*["']?(\d{1,5})["']?\s*(?:[,;}\n]|/[/*]|$)`)
	protocolBeside = regexp.MustCompile(`(?i)(?:^|[^\w$])protocol["']?\s*:\s*["'](https?):?["']`)
	requestBefore  = regexp.MustCompile(`\b(https?)\.(?:get|request)\(\s*$`)
)

// maxBeside is how far from a host its port is looked for, in bytes.
const maxBeside = 2000

// beside is the port that the object literal or, for a variable, the block tells in which the text from start to end
// names a host; 0 if it tells none, or several. Stem is what the host's name begins with, as its port's does.
func beside(text string, start, end int, stem string, member bool) uint16 {
	before, open := outwards(text, start)
	around := before + text[start:end] + inwards(text, end)
	var told uint16
	for _, m := range portBeside.FindAllStringSubmatchIndex(around, -1) {
		part := m[0] > 0 && strings.IndexByte(".-$", around[m[0]-1]) >= 0 // of a name that is not the host's
		if part || !strings.EqualFold(around[m[2]:m[3]], stem) {
			continue
		}
		port := newTarget("", around[m[4]:m[5]], 0).port
		if told != 0 && port != told {
			return 0
		}
		told = port
	}
	if told != 0 || !member || stem != "" || strings.Contains(strings.ToLower(around), "port") {
		return told
	}
	if m := protocolBeside.FindStringSubmatch(around); m != nil {
		return ports[strings.ToLower(m[1])]
	}
	if m := requestBefore.FindStringSubmatch(text[max(0, open-100):open]); m != nil {
		return ports[m[1]]
	}
	return 0
}

// outwards is the text before a place without what is in inner braces, to the brace that opens what it is in, and where
// that brace is.
func outwards(text string, at int) (outer string, open int) {
	var kept []byte
	depth, first := 0, max(0, at-maxBeside)
	for open = at - 1; open >= first; open-- {
		switch c := text[open]; {
		case c == '}':
			depth++
		case c == '{' && depth == 0:
			slices.Reverse(kept)
			return string(kept), open
		case c == '{':
			depth--
		case depth == 0:
			kept = append(kept, c)
		}
	}
	slices.Reverse(kept)
	return string(kept), first
}

// inwards is the text from a place on without what is in inner braces, to the brace that closes what it is in.
func inwards(text string, at int) string {
	var kept []byte
	depth := 0
	for _, c := range []byte(text[at:min(len(text), at+maxBeside)]) {
		switch {
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return string(append(kept, c))
		case c == '}':
			depth--
		case depth == 0:
			kept = append(kept, c)
		}
	}
	return string(kept)
}
