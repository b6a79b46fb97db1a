package redisstore

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// The lines of a function are a stream, which needs Redis 5. An entry holds under short names what a line is: its time in
// milliseconds, its request ID, its level and its text. Its own ID is the line's cursor. See lua/log_append.lua.
const (
	fieldTime    = "t"
	fieldRequest = "r"
	fieldLevel   = "l"
	fieldText    = "m"
)

// ReadLog returns the lines that q selects.
func (l *logStore) ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error) {
	var entries *redis.XMessageSliceCmd
	first := q.After.Next().String() // "(" for exclusive ranges needs Redis 6.2
	err := read(ctx, l.client, func(p redis.Pipeliner) {
		if q.Newest {
			entries = p.XRevRangeN(ctx, l.keys.stream(ref), "+", first, int64(q.Limit))
		} else {
			entries = p.XRangeN(ctx, l.keys.stream(ref), first, "+", int64(q.Limit))
		}
	})
	if err != nil {
		return nil, at("log of "+ref.String(), err)
	}
	lines := linesOf(ref, entries.Val())
	if q.Newest {
		slices.Reverse(lines)
	}
	return lines, nil
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
		millis = int64(cursor.Millis) //nolint:gosec // it fits: see ParseLogCursor
	}
	return function.LogLine{
		Ref: ref, Cursor: cursor, Time: time.UnixMilli(millis),
		RequestID: text(fieldRequest), Level: text(fieldLevel), Text: text(fieldText),
	}
}
