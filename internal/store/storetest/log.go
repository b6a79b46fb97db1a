package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

// logTests are of the lines that functions printed.
var logTests = table{
	"LogIsReadInOrder":         testLogIsReadInOrder,
	"LogIsReadUpToSoManyBytes": testLogIsReadUpToSoManyBytes,
	"LogLinesAreKeptWhole":     testLogLinesAreKeptWhole,
	"LogIsReadFromAPlaceOn":    testLogIsReadFromAPlaceOn,
	"LogIsBounded":             testLogIsBounded,
	"LogsAreApart":             testLogsAreApart,
	"LogsAreBoundedTogether":   testLogsAreBoundedTogether,
	"NewestLinesAreKept":       testNewestLinesAreKept,
	"OwnersShareTheirLogs":     testOwnersShareTheirLogs,
	"LogGoesWithItsFunction":   testLogGoesWithItsFunction,
	"LogGoesWithItsNamespace":  testLogGoesWithItsNamespace,
	"LogHidesFromLists":        testLogHidesFromLists,
	"AwaitLogSeesWhatComes":    testAwaitLogSeesWhatComes,
	"AwaitLogGivesUp":          testAwaitLogGivesUp,
	"AwaitLogEndsWithContext":  testAwaitLogEndsWithContext,
	"AwaitLogEndsWithTheStore": testAwaitLogEndsWithTheStore,
}

// keepMany is more than most tests need.
var keepMany = function.LogLimits{Lines: 1000, Memory: 16 << 20, TTL: time.Hour}

// printed makes lines of r with the numbers from first up to and without end as their texts.
func printed(r function.Ref, first, end int) []function.LogLine {
	var lines []function.LogLine
	for i := first; i < end; i++ {
		lines = append(
			lines, function.LogLine{Ref: r, Time: time.UnixMilli(1), RequestID: "call", Level: "info", Text: fmt.Sprint(i)},
		)
	}
	return lines
}

func appendLog(t *testing.T, s Store, lines []function.LogLine, keep function.LogLimits) {
	t.Helper()
	if kept, err := s.AppendLog(t.Context(), lines, keep); err != nil || kept != len(lines) {
		t.Fatalf("append kept %d of %d, %v", kept, len(lines), err)
	}
}

func readLog(t *testing.T, s Store, r function.Ref, q function.LogQuery) []function.LogLine {
	t.Helper()
	lines, err := s.ReadLog(t.Context(), r, q)
	if err != nil {
		t.Fatalf("read the log of %s: %v", r, err)
	}
	return lines
}

// wantLines compares lines with those that printed makes.
func wantLines(t *testing.T, got []function.LogLine, r function.Ref, first, end int) {
	t.Helper()
	got = slices.Clone(got)
	for i := range got {
		if i > 0 && got[i].Cursor.Compare(got[i-1].Cursor) <= 0 {
			t.Errorf("line %d has the place %s after %s", i, got[i].Cursor, got[i-1].Cursor)
		}
		got[i].Cursor = function.LogCursor{}
	}
	if want := printed(r, first, end); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func testLogIsReadInOrder(t *testing.T, s Store) {
	wantLines(t, readLog(t, s, ref, function.LogQuery{Limit: 10, Newest: true}), ref, 0, 0)
	appendLog(t, s, printed(ref, 0, 7), keepMany)
	appendLog(t, s, nil, keepMany)
	appendLog(t, s, printed(ref, 7, 10), keepMany)
	for _, row := range []struct {
		q          function.LogQuery
		first, end int
	}{
		{function.LogQuery{Limit: 100}, 0, 10},
		{function.LogQuery{Limit: 100, Newest: true}, 0, 10},
		{function.LogQuery{Limit: 4}, 0, 4},
		{function.LogQuery{Limit: 4, Newest: true}, 6, 10},
	} {
		wantLines(t, readLog(t, s, ref, row.q), ref, row.first, row.end)
	}
}

func testLogIsReadUpToSoManyBytes(t *testing.T, s Store) {
	var lines []function.LogLine
	for i := range 350 { // more than a store may read at once
		lines = append(lines, printed(ref, 1000+i, 1001+i)...) // four bytes each
	}
	appendLog(t, s, lines, keepMany)
	for _, row := range []struct {
		q          function.LogQuery
		first, end int
	}{
		{function.LogQuery{Limit: 1000, Bytes: 1 << 20}, 0, 350},
		{function.LogQuery{Limit: 1000, Bytes: 1 << 20, Newest: true}, 0, 350},
		{function.LogQuery{Limit: 230, Bytes: 1 << 20}, 0, 230},
		{function.LogQuery{Limit: 230, Bytes: 1 << 20, Newest: true}, 120, 350},
		{function.LogQuery{Limit: 1000, Bytes: 1000}, 0, 250},
		{function.LogQuery{Limit: 1000, Bytes: 1000, Newest: true}, 100, 350},
		{function.LogQuery{Limit: 1000, Bytes: 5}, 0, 2},
		{function.LogQuery{Limit: 1000, Bytes: 1, Newest: true}, 349, 350},
	} {
		wantLines(t, readLog(t, s, ref, row.q), ref, 1000+row.first, 1000+row.end)
	}
}

func testLogLinesAreKeptWhole(t *testing.T, s Store) {
	want := function.LogLine{
		Ref: function.Ref{
			Namespace: "a/b:c",
			ID:        "d/e f",
		}, Time: time.UnixMilli(1767225600123), RequestID: "call-1", Level: "error",
		Text: "\t\x1b[31m\"é\" \u2028\r\\n 💥\x00",
	}
	queued := want
	queued.Queued = true
	step := queued
	step.Step = 12
	appendLog(t, s, []function.LogLine{want, queued, step, {Ref: want.Ref, Time: want.Time}}, keepMany)
	got := readLog(t, s, want.Ref, function.LogQuery{Limit: 10})
	if len(got) != 4 {
		t.Fatalf("got %v", got)
	}
	for i := range got {
		got[i].Cursor = function.LogCursor{}
	}
	if got[0] != want || got[1] != queued || got[2] != step ||
		got[3] != (function.LogLine{Ref: want.Ref, Time: want.Time}) {
		t.Errorf("got %+v, want %+v and the same queued", got, want)
	}
}

func testLogIsReadFromAPlaceOn(t *testing.T, s Store) {
	appendLog(t, s, printed(ref, 0, 10), keepMany)
	all := readLog(t, s, ref, function.LogQuery{Limit: 10})
	for i, line := range all {
		wantLines(t, readLog(t, s, ref, function.LogQuery{After: line.Cursor, Limit: 10}), ref, i+1, 10)
		wantLines(t, readLog(t, s, ref, function.LogQuery{After: line.Cursor, Limit: 3}), ref, i+1, min(i+4, 10))
		wantLines(t, readLog(t, s, ref, function.LogQuery{After: line.Cursor, Limit: 3, Newest: true}), ref, max(i+1, 7), 10)
	}
	future := function.LogCursor{Millis: 1 << 62}
	wantLines(t, readLog(t, s, ref, function.LogQuery{After: future, Limit: 10, Newest: true}), ref, 0, 0)
}

// logSlack is how many lines a store may keep beyond LogLimits.Lines.
const logSlack = 100

func testLogIsBounded(t *testing.T, s Store) {
	keep := keepMany
	keep.Lines = 50
	for i := 0; i < 1000; i += 100 {
		appendLog(t, s, printed(ref, i, i+100), keep)
	}
	all := readLog(t, s, ref, function.LogQuery{Limit: 1000})
	if len(all) < keep.Lines || len(all) > keep.Lines+logSlack {
		t.Errorf("%d lines were kept", len(all))
	}
	wantLines(t, all, ref, 1000-len(all), 1000)
}

func testLogsAreApart(t *testing.T, s Store) {
	others := []function.Ref{{Namespace: "ns", ID: "id2"}, {Namespace: "ns/id", ID: "x"}, {Namespace: "ns2", ID: "id"}}
	var mixed []function.LogLine
	for i := range 3 {
		mixed = append(mixed, printed(ref, i, i+1)...)
		for _, other := range others {
			mixed = append(mixed, printed(other, i, i+1)...)
		}
	}
	appendLog(t, s, mixed, keepMany)
	for _, r := range append(others, ref) {
		wantLines(t, readLog(t, s, r, function.LogQuery{Limit: 10}), r, 0, 3)
	}
}

func testLogGoesWithItsFunction(t *testing.T, s Store) {
	kept := function.Ref{Namespace: "ns", ID: "kept"}
	put(t, s, ref, "1", nil)
	put(t, s, kept, "1", nil)
	appendLog(t, s, append(printed(ref, 0, 3), printed(kept, 0, 3)...), keepMany)
	before := readLog(t, s, ref, function.LogQuery{Limit: 10})
	wantNoError(t, s.Delete(t.Context(), ref))
	put(t, s, ref, "2", nil)
	wantLines(t, readLog(t, s, ref, function.LogQuery{Limit: 10}), ref, 0, 0)
	wantLines(t, readLog(t, s, kept, function.LogQuery{Limit: 10}), kept, 0, 3)
	appendLog(t, s, printed(ref, 3, 5), keepMany)
	wantLines(t, readLog(t, s, ref, function.LogQuery{After: before[2].Cursor, Limit: 10}), ref, 3, 5)
}

func testLogGoesWithItsNamespace(t *testing.T, s Store) {
	other := function.Ref{Namespace: "ns2", ID: "id"}
	put(t, s, other, "1", nil)
	appendLog(t, s, printed(other, 0, 3), keepMany)
	var refs []function.Ref
	for i := range 5 {
		r := function.Ref{Namespace: "ns", ID: fmt.Sprint(i)}
		put(t, s, r, "1", nil)
		appendLog(t, s, printed(r, 0, 3), keepMany)
		refs = append(refs, r)
	}
	wantNoError(t, s.DeleteNamespace(t.Context(), "ns"))
	for _, r := range refs {
		get(t, s, r)
		wantLines(t, readLog(t, s, r, function.LogQuery{Limit: 10}), r, 0, 0)
	}
	wantLines(t, readLog(t, s, other, function.LogQuery{Limit: 10}), other, 0, 3)
}

func testLogHidesFromLists(t *testing.T, s Store) {
	put(t, s, ref, "1", nil)
	appendLog(t, s, append(printed(ref, 0, 3), printed(function.Ref{Namespace: "ns", ID: "none"}, 0, 3)...), keepMany)
	wantRefs(t, list(t, s, function.Query{Page: 1, PerPage: 10}).Items, []function.Ref{ref})
	wantRefs(t, list(t, s, function.Query{Namespace: "ns", Page: 1, PerPage: 10}).Items, []function.Ref{ref})
}
