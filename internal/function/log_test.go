package function

import (
	"math"
	"slices"
	"testing"
)

func TestLogCursorsAreReadAsTheyAreWritten(t *testing.T) {
	for _, c := range []LogCursor{{}, {1767225600000, 0}, {1, 42}, {math.MaxInt64, math.MaxInt64}} {
		if got, err := ParseLogCursor(c.String()); got != c || err != nil {
			t.Errorf("%s is read as %v, %v", c, got, err)
		}
	}
}

func TestOtherTextsAreNoLogCursors(t *testing.T) {
	for _, text := range []string{"", "-", "1", "1-", "-1", "1-2-3", "a-b", "+1-2", "1- 2", "(1-2", "$", "+", "9223372036854775808-0", "0-9223372036854775808"} {
		if c, err := ParseLogCursor(text); err == nil {
			t.Errorf("%q is read as %v", text, c)
		}
	}
}

func TestLogCursorsAreOrderedByTimeThenNumber(t *testing.T) {
	want := []LogCursor{{}, {0, 1}, {1, 0}, {1, 2}, LogCursor{1, 2}.Next(), {1, math.MaxInt64}, {2, 0}, {10, 0}}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, LogCursor.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("ordered %v", got)
	}
}
