package main

import (
	"strings"
	"testing"
	"unicode/utf8"
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

func TestHelpInATerminalHasNoMarkdown(t *testing.T) {
	for given, want := range map[string]string{
		"in [this form](#the-file). More": "in this form. More", "[More](operations.md#redis).": "More (docs/operations.md).", "a[0] (b)": "a[0] (b)",
	} {
		if got := plain(given); got != want {
			t.Errorf("%q became %q", given, got)
		}
	}
	if text := variablesHelp(); strings.Contains(text, "](") {
		t.Error("there is a link")
	}
}

func TestHelpFitsInATerminal(t *testing.T) {
	for line := range strings.Lines(variablesHelp()) {
		line = strings.TrimRight(line, "\n")
		if words := strings.Fields(line); utf8.RuneCountInString(line) > helpWidth && strings.HasPrefix(line, "      ") && len(words) > 1 {
			t.Errorf("%d characters: %s", utf8.RuneCountInString(line), line)
		}
	}
}
