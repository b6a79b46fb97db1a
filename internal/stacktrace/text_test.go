package stacktrace

import (
	"fmt"
	"strings"
	"testing"
)

const file = "ns/id.js"

// at is the place of part in the artefact, as V8 writes it.
func at(tb testing.TB, code []byte, part string) string {
	tb.Helper()
	line, column := placeOf(tb, string(code), part)
	return fmt.Sprintf("%s:%d:%d", file, line, column)
}

func TestStacksAreThoseOfTheAuthor(t *testing.T) {
	code, text := built(t, nil)
	m := parsed(t, text)
	stack := strings.Join([]string{
		"TypeError: Cannot read properties of undefined (reading '0')",
		"    at first (" + at(t, code, "list[0]") + ")",
		"    at Object.order (" + at(t, code, "first)(") + ")",
		"    at " + file + ":1:5",
		"    at async main (" + at(t, code, "console.log(") + ")",
		"    at eval (eval at main (" + at(t, code, "console.log(") + "), <anonymous>:1:1)",
		"    at Object.<anonymous> (" + at(t, code, "list[0]") + ")",
		"    at node:internal/main:5:6",
	}, "\n")
	want := strings.Join([]string{
		"TypeError: Cannot read properties of undefined (reading '0')",
		"    at first (node_modules/items/index.js:2:10)",
		"    at Object.order (lib/order.ts:5:10)",
		"    at async main (index.ts:7:3)",
		"    at eval (eval at main (index.ts:7:3), <anonymous>:1:1)",
		"    at Object.<anonymous> (node_modules/items/index.js:2:10)",
		"    at node:internal/main:5:6",
	}, "\n")
	if got := m.Stack(file, stack); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	frames := "at first (node_modules/items/index.js:2:10)\nat Object.order (lib/order.ts:5:10)\n" +
		"at main (index.ts:7:3)\nat node_modules/items/index.js:2:10"
	if got := m.Frames(file, stack); got != frames {
		t.Errorf("got\n%s\nwant\n%s", got, frames)
	}
}

func TestTextKeepsWhatIsNoPlace(t *testing.T) {
	code, text := built(t, nil)
	m := parsed(t, text)
	place := at(t, code, "console.log(")
	for _, row := range []struct{ text, want string }{
		{"", ""},
		{"hello", "hello"},
		{"    at main (" + place + ")", "    at main (index.ts:7:3)"},
		{"    at " + place, "    at index.ts:7:3"},
		{"at " + place + " and " + place, "at index.ts:7:3 and index.ts:7:3"},
		{"SyntaxError: x at " + place + ": let", "SyntaxError: x at index.ts:7:3: let"},
		{"x" + place, "x" + place},
		{"other/" + place, "other/" + place},
		{"at " + file, "at " + file},
		{"at " + file + ":", "at " + file + ":"},
		{"at " + file + ":7", "at " + file + ":7"},
		{"at " + file + ":7:", "at " + file + ":7:"},
		{"at " + file + ":0:1", "at " + file + ":0:1"},
		{"at " + file + ":1:1", "at " + file + ":1:1"}, // what the build has added
		{"at " + file + ":99999999999999999999:1", "at " + file + ":99999999999999999999:1"},
	} {
		if got := m.Text(file, row.text); got != row.want {
			t.Errorf("%q became %q, want %q", row.text, got, row.want)
		}
	}
}

func TestAFunctionCannotPrintMoreThanABoundedNumberOfPlaces(t *testing.T) {
	code, text := built(t, nil)
	m := parsed(t, text)
	frame := "    at main (" + at(t, code, "console.log(") + ")\n"
	long := strings.Repeat(frame, 100_000)
	for name, got := range map[string]string{"text": m.Text(file, long), "stack": m.Stack(file, long)} {
		if n := strings.Count(got, "index.ts:7:3"); n != maxPlaces || strings.Count(got, "\n") != 100_000 {
			t.Errorf("%s: %d places in %d lines", name, n, strings.Count(got, "\n"))
		}
	}
	if n := strings.Count(m.Frames(file, long), "\n"); n != maxPlaces-1 {
		t.Errorf("%d frames", n+1)
	}
}
