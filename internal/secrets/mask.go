package secrets

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"github.com/backstage/functions/sandbox/rawjson"
)

const (
	// Mask is what is shown in place of a value.
	Mask = "***"
	// MinMasked is the length in bytes from which on values are masked: shorter ones are in many texts by chance.
	MinMasked = 8
	// maxEncoded is the longest value, in bytes, of which encodings are masked, too.
	maxEncoded = 4 << 10
	// maxPatterns is the most texts that are looked for.
	maxPatterns = 1000
)

// newMasker replaces the values, and what they become in base64, in hexadecimal, in addresses and in JSON, by Mask; of
// a value of several lines also each line. It is nil when there is nothing to mask.
func newMasker(values []string) *strings.Replacer {
	patterns := patternsOf(values)
	if len(patterns) == 0 {
		return nil
	}
	// At the same place the first one that matches counts.
	slices.SortFunc(patterns, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	patterns = slices.Compact(patterns)
	pairs := make([]string, 0, 2*len(patterns))
	for _, pattern := range patterns {
		pairs = append(pairs, pattern, Mask)
	}
	return strings.NewReplacer(pairs...)
}

// patternsOf are the texts to look for: whole values first, since there is room for maxPatterns.
func patternsOf(values []string) (patterns []string) {
	add := func(texts ...string) {
		for _, text := range texts {
			if len(text) >= MinMasked && len(patterns) < maxPatterns {
				patterns = append(patterns, text)
			}
		}
	}
	add(values...)
	for _, value := range values {
		if len(value) >= MinMasked && len(value) <= maxEncoded {
			add(encodingsOf(value)...)
		}
	}
	for _, value := range values {
		if !strings.Contains(value, "\n") {
			continue
		}
		for line := range strings.Lines(value) {
			line = strings.TrimSpace(line)
			add(line, inJSON(line))
		}
	}
	return patterns
}

// encodingsOf are what value becomes in texts of other forms.
func encodingsOf(value string) []string {
	all := []string{
		inJSON(value), inURL(value), url.QueryEscape(value), hex.EncodeToString([]byte(value)),
		strings.ToUpper(hex.EncodeToString([]byte(value))),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		all = append(all, encoding.EncodeToString([]byte(value)))
		for before := range 3 { // bytes in front of it in its group of three
			all = append(all, within(encoding, value, before))
		}
	}
	return all
}

// within is the part of a base64 text that depends on value alone, when so many bytes are in front of it in a group.
func within(encoding *base64.Encoding, value string, before int) string {
	text := encoding.EncodeToString(append(make([]byte, before), value...))
	const bits = 6 // of each character
	first, last := (8*before+bits-1)/bits, 8*(before+len(value))/bits
	return text[first:last]
}

// inJSON is value as JSON.stringify writes it, without the quotes.
func inJSON(value string) string {
	text := string(rawjson.AppendString(nil, value))
	return text[1 : len(text)-1]
}

// inURL is value as encodeURIComponent writes it.
func inURL(value string) string {
	return kept.Replace(url.QueryEscape(value))
}

// kept are characters that encodeURIComponent leaves as they are, and its space.
var kept = strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")
