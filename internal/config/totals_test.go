package config

import (
	"strings"
	"testing"
)

// TestATotalThatOneNamespaceCannotUseIsTold has limits of all asynchronous calls that are below twice those of a
// namespace.
func TestATotalThatOneNamespaceCannotUseIsTold(t *testing.T) {
	const rest = ": a namespace can have half of it, the rest is for others"
	for settings, want := range map[string]string{
		"CALLS_MAX=50|CALLS_MAX_TOTAL=99":  "CALLS_MAX_TOTAL=99 is less than twice CALLS_MAX, which is 50" + rest,
		"CALLS_MAX_TOTAL=9":                "CALLS_MAX_TOTAL=9 is less than twice CALLS_MAX, which is 10000" + rest,
		"CALLS_MEMORY_TOTAL=100mb":         "CALLS_MEMORY_TOTAL=100mb is less than twice CALLS_MEMORY, which is 64mb" + rest,
		"CALLS_MAX=50|CALLS_MAX_TOTAL=100": "",
		"CALLS_MEMORY_TOTAL=128mb":         "",
		"CALLS_MAX=0|CALLS_MAX_TOTAL=1":    "",
	} {
		if got := strings.Join(mustLoad(t, strings.Split(settings, "|")...).Warnings, "\n"); got != want {
			t.Errorf("%s: warnings %q, want %q", settings, got, want)
		}
	}
}
