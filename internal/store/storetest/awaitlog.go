package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

// awaited is what AwaitLog returned.
type awaited struct {
	lines []function.LogLine
	err   error
}

// await runs AwaitLog beside the test.
func await(ctx context.Context, s Store, after function.LogCursor) <-chan awaited {
	result := make(chan awaited, 1)
	go func() {
		lines, err := s.AwaitLog(ctx, ref, after, 10, patience)
		result <- awaited{lines, err}
	}()
	return result
}

func testAwaitLogSeesWhatComes(t *testing.T, s Store) {
	var place function.LogCursor
	for i := range 5 {
		first, second := await(t.Context(), s, place), await(t.Context(), s, place)
		appendLog(t, s, printed(function.Ref{Namespace: "ns", ID: "other"}, 0, 1), keepMany)
		appendLog(t, s, printed(ref, i, i+1), keepMany)
		for _, result := range []<-chan awaited{first, second} {
			got := <-result
			wantNoError(t, got.err)
			wantLines(t, got.lines, ref, i, i+1)
			place = got.lines[len(got.lines)-1].Cursor
		}
	}
	got := <-await(t.Context(), s, function.LogCursor{})
	wantNoError(t, got.err)
	wantLines(t, got.lines, ref, 0, 5)
	lines, err := s.AwaitLog(t.Context(), ref, function.LogCursor{}, 2, patience)
	wantNoError(t, err)
	wantLines(t, lines, ref, 0, 2)
}

func testAwaitLogGivesUp(t *testing.T, s Store) {
	appendLog(t, s, printed(ref, 0, 1), keepMany)
	last := readLog(t, s, ref, function.LogQuery{Limit: 1})[0].Cursor
	for _, within := range []time.Duration{0, time.Microsecond, 20 * time.Millisecond} {
		lines, err := s.AwaitLog(t.Context(), ref, last, 10, within)
		if len(lines) > 0 || err != nil {
			t.Errorf("within %v: %v, %v", within, lines, err)
		}
	}
}

func testAwaitLogEndsWithContext(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	result := await(ctx, s, function.LogCursor{})
	cancel()
	wantError(t, (<-result).err, context.Canceled)
}

func testAwaitLogEndsWithTheStore(t *testing.T, s Store) {
	result := await(t.Context(), s, function.LogCursor{})
	wantNoError(t, s.Close())
	wantError(t, (<-result).err, function.ErrUnavailable)
}
