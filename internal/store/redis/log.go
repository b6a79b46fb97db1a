package redis

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// The lines of a function are a stream, which needs Redis 5. An entry holds under short names what a line is: its
// time in milliseconds, its request ID, its level and its text. Its own ID is the line's cursor. See
// lua/log_append.lua.
const (
	fieldTime    = "t"
	fieldRequest = "r"
	fieldLevel   = "l"
	fieldText    = "m"
)

// page is how many lines are read at once where their bytes are bounded.
const page = 100

// ReadLog returns the lines that q selects.
func (l *logStore) ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error) {
	first, last := q.After.Next().String(), "+" // "(" for exclusive ranges needs Redis 6.2
	var lines []function.LogLine                // with Newest the last one comes first
	for left, bytes := q.Limit, 0; left > 0; {
		most := left
		if q.Bytes > 0 {
			most = min(left, page)
		}
		entries, err := l.readRange(ctx, ref, first, last, most, q.Newest)
		if err != nil {
			return nil, at("log of "+ref.String(), err)
		}
		part := linesOf(ref, entries)
		for i := range part {
			lines = append(lines, part[i])
			if bytes += len(part[i].Text); q.Bytes > 0 && bytes >= q.Bytes {
				return inOrder(lines, q.Newest), nil
			}
		}
		if left -= most; len(entries) < most || len(part) == 0 {
			break
		}
		if end := part[len(part)-1].Cursor; q.Newest {
			last = before(end)
		} else {
			first = end.Next().String()
		}
	}
	return inOrder(lines, q.Newest), nil
}

// readRange returns the first entries of a range, or the last ones, the very last in front.
func (l *logStore) readRange(
	ctx context.Context, ref function.Ref, first, last string, most int, newest bool,
) ([]redis.XMessage, error) {
	var entries *redis.XMessageSliceCmd
	err := read(ctx, l.client, func(p redis.Pipeliner) {
		if newest {
			entries = p.XRevRangeN(ctx, l.keys.stream(ref), last, first, int64(most))
		} else {
			entries = p.XRangeN(ctx, l.keys.stream(ref), first, last, int64(most))
		}
	})
	if err != nil {
		return nil, err
	}
	return entries.Val(), nil
}

func inOrder(lines []function.LogLine, reversed bool) []function.LogLine {
	if reversed {
		slices.Reverse(lines)
	}
	return lines
}

// before is the last cursor before c, as the end of a range: without a sequence number that is the last one of its
// millisecond.
func before(c function.LogCursor) string {
	if c.Seq > 0 {
		return function.LogCursor{Millis: c.Millis, Seq: c.Seq - 1}.String()
	}
	return strconv.FormatUint(max(c.Millis, 1)-1, 10)
}

// linesOf leaves out entries that no store wrote: their IDs are no cursors.
func linesOf(ref function.Ref, entries []redis.XMessage) []function.LogLine {
	lines := make([]function.LogLine, 0, len(entries))
	for _, entry := range entries {
		if cursor, err := function.ParseLogCursor(entry.ID); err == nil {
			lines = append(lines, lineOf(ref, cursor, entry.Values))
		}
	}
	return lines
}

func lineOf(ref function.Ref, cursor function.LogCursor, values map[string]any) function.LogLine {
	text := func(name string) string {
		value, _ := values[name].(string)
		return value
	}
	millis, err := strconv.ParseInt(text(fieldTime), 10, 64)
	if err != nil {
		millis = int64(cursor.Millis) // it fits: see ParseLogCursor
	}
	request, queued := strings.CutPrefix(text(fieldRequest), queuedMark)
	step := 0
	if number, rest, ok := strings.Cut(request, queuedMark); ok && queued {
		if n, err := strconv.Atoi(number); err == nil {
			step, request = n, rest
		}
	}
	return function.LogLine{
		Ref: ref, Cursor: cursor, Time: time.UnixMilli(millis),
		RequestID: request, Queued: queued, Step: step, Level: text(fieldLevel), Text: text(fieldText),
	}
}

// queuedMark is before the stored request ID of a line of an asynchronous call, and of a pipeline its step and the mark
// again are between. No other ID begins so.
const queuedMark = ":"

// requestOf is how the request ID of a line is stored.
func requestOf(line *function.LogLine) string {
	switch {
	case line.Queued && line.Step > 0:
		return queuedMark + strconv.Itoa(line.Step) + queuedMark + line.RequestID
	case line.Queued:
		return queuedMark + line.RequestID
	}
	return line.RequestID
}
