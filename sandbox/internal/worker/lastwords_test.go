package worker

import "testing"

func TestLastWordsAreThoseOfTheCause(t *testing.T) {
	const fatal = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"
	for _, row := range []struct{ name, stderr, want string }{
		{"nothing", "", ""},
		{"what a module has printed", "a line\nanother: 0x12 [x]\n  1 apple", "a line\nanother: 0x12 [x]\n  1 apple"},
		{
			"an error of the runner", "Error: frame is larger than 5 bytes\n    at check (/runner/frame.js:1:1)",
			"Error: frame is larger than 5 bytes\n    at check (/runner/frame.js:1:1)",
		},
		{"Node.js 8", `a line
<--- Last few GCs --->

[32675:0x16830880]     2909 ms: Mark-sweep 46.9 (81.8) -> 46.9 (83.3) MB, 106.4 / 0.0 ms  allocation failure GC in old space requested


<--- JS stacktrace --->

==== JS stack trace =========================================

Security context: 0x3c0df17a5891 <JSObject>
    1: main [ns/id.js:1] [pc=0x34bacb304ef2](this=0x1d81d128c2f1 <JSGlobal Object>)
    6: runInThisContext [vm.js:139] [bytecode=0x1d45ccbd8cf9 offset=18](this=0x1d45ccba4d19 <Object map = 0x29f6a38af389...

` + fatal + `
 1: node::Abort() [node]
 2: 0x8cd49c [node]
 7: v8::internal::Runtime_GrowArrayElements(int, v8::internal::Object**, v8::internal::Isolate*) [node]
 8: 0x34bacb1842fd`, "a line\n" + fatal},
		{"later ones", `<--- Last few GCs --->

[32589:0xeab4dd0]      276 ms: Mark-Compact 17.4 (49.9) -> 16.8 (49.9) MB, 4.50 / 0.00 ms  (+ 0.0 ms in 1 steps since start of marking


<--- JS stacktrace --->

` + fatal + `
----- Native stack trace -----

 1: 0xb78db3 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
 4: 0x10fb205  [node]

----- JavaScript stack trace -----

Aborted (core dumped)`, fatal},
		{"nothing but frames", " 8: 0x34bacb1842fd", " 8: 0x34bacb1842fd"},
	} {
		if got := lastWords(row.stderr); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}
