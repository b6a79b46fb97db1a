// Package duration reads and writes times with their units.
package duration

import (
	"strings"
	"time"
)

// Parse reads what time.ParseDuration reads, in upper or lower case and with spaces in between.
func Parse(text string) (time.Duration, error) {
	return time.ParseDuration(strings.ToLower(strings.ReplaceAll(strings.TrimSpace(text), " ", "")))
}

// Text writes d without the units that are zero: 1h and not 1h0m0s.
func Text(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
