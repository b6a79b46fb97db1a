package main

import (
	"strings"
	"testing"
)

func TestEveryCommandTellsHowItIsUsed(t *testing.T) {
	for _, command := range []string{"health", "backup", "check-migration"} {
		for _, word := range []string{"--help", "-h", "help"} {
			var out strings.Builder
			if err := run(t.Context(), []string{command, word}, &out); err != nil || !strings.Contains(out.String(), "functions "+command) {
				t.Errorf("functions %s %s: %q, %v", command, word, out.String(), err)
			}
		}
	}
}
