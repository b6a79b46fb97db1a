package logs_test

import (
	"testing"

	"github.com/backstage/functions/internal/observe/logs"
)

func TestPlainShowsWhatATerminalWouldNot(t *testing.T) {
	text := "a\tb\n\"c\" \\ é 💥 \x1b[2J \u202e \u009b \r \x7f \U000e0041"
	want := "a\tb\n\"c\" \\ é 💥 \\u001b[2J \\u202e \\u009b \\r \\u007f \\udb40\\udc41"
	if got := logs.Plain(text); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
