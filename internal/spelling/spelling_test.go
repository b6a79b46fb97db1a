package spelling

import "testing"

func TestSlipsAreCounted(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"ab", "ba", 1}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"kitten", "sitting", 3}} {
		if got := slips(row.a, row.b); got != row.want {
			t.Errorf("%s, %s: %d, want %d", row.a, row.b, got, row.want)
		}
	}
}

func TestOnlyNamesThatAreAlikeAreMeant(t *testing.T) {
	known := []string{"runtime", "maxInvocations", "body"}
	for name, want := range map[string]string{
		"runtimes": `: did you mean "runtime"?`, "maxinvocation": `: did you mean "maxInvocations"?`, "bdoy": `: did you mean "body"?`,
		"description": "", "time": "", "b": "", "": "",
	} {
		if got := DidYouMean(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
