package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

// small is a budget that a test can fill; a part of it is all that a cluster's slot has.
var small = function.LogLimits{Lines: 1000, Memory: 8 << 20, TTL: time.Hour}

// long makes lines of 4 kB of r.
func long(r function.Ref, lines int) []function.LogLine {
	all := printed(r, 0, lines)
	for i := range all {
		all[i].Text += strings.Repeat("x", 4<<10)
	}
	return all
}

// textBytes sums the texts that are kept of functions.
func textBytes(t *testing.T, s Store, refs []function.Ref) (sum int64) {
	t.Helper()
	for _, r := range refs {
		for _, line := range readLog(t, s, r, function.LogQuery{Limit: 2000}) {
			sum += int64(len(line.Text))
		}
	}
	return sum
}

func testLogsAreBoundedTogether(t *testing.T, s Store) {
	quiet := function.Ref{Namespace: "quiet", ID: "id"}
	appendLog(t, s, printed(quiet, 0, 10), small)
	var loud []function.Ref
	for i := range 40 { // 16 MB of lines that the limits of single functions allow
		r := function.Ref{Namespace: fmt.Sprint("loud", i%4), ID: fmt.Sprint(i)}
		loud = append(loud, r)
		appendLog(t, s, long(r, 100), small)
	}
	if sum := textBytes(t, s, loud); sum > small.Memory {
		t.Errorf("%d bytes are kept of %d", sum, small.Memory)
	}
	wantLines(t, readLog(t, s, quiet, function.LogQuery{Limit: 100}), quiet, 0, 10)
}

func testNewestLinesAreKept(t *testing.T, s Store) {
	for i := range 40 {
		appendLog(t, s, long(function.Ref{Namespace: "ns", ID: fmt.Sprint(i)}, 100), small)
	}
	all := readLog(t, s, function.Ref{Namespace: "ns", ID: "39"}, function.LogQuery{Limit: 100})
	if len(all) == 0 || !strings.HasPrefix(all[len(all)-1].Text, "99x") {
		t.Errorf("the newest of %d lines is not the last that was printed", len(all))
	}
	if lines := readLog(t, s, function.Ref{Namespace: "ns", ID: "0"}, function.LogQuery{Limit: 100}); len(lines) > 0 {
		t.Errorf("%d of the oldest lines are still there", len(lines))
	}
}

func testOwnersShareTheirLogs(t *testing.T, s Store) {
	wantKept := func(r function.Ref, want int) {
		t.Helper()
		if lines := readLog(t, s, r, function.LogQuery{Limit: 100}); len(lines) != want {
			t.Errorf("%s keeps %d lines, want %d", r, len(lines), want)
		}
	}
	quiet := function.Ref{Namespace: "quiet", ID: "id"}
	appendLog(t, s, long(quiet, 50), small) // less than the half of what there is, more than a hundredth
	var loud []function.Ref
	for i := range 100 {
		r := function.Ref{Namespace: fmt.Sprint("loud", OwnerSeparator, i), ID: "id"}
		loud = append(loud, r)
		appendLog(t, s, long(r, 40), small)
	}
	if sum := textBytes(t, s, loud); sum > small.Memory {
		t.Errorf("%d bytes are kept of %d", sum, small.Memory)
	}
	last := loud[len(loud)-1]
	wantKept(quiet, 50)
	wantKept(last, 40)
	put(t, s, last, "1", nil)
	wantNoError(t, s.DeleteNamespace(t.Context(), last.Namespace))
	wantKept(last, 0)
	wantKept(quiet, 50)
	other := function.Ref{Namespace: last.Namespace, ID: "other"}
	appendLog(t, s, long(other, 10), small)
	wantNoError(t, s.DeleteNamespace(t.Context(), loud[0].Namespace))
	wantKept(other, 10)
}
