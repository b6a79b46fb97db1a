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
// milliseconds, its request ID, its level and its text. Its own ID is the line's cursor.
const (
	fieldTime    = "t"
	fieldRequest = "r"
	fieldLevel   = "l"
	fieldText    = "m"
)

// log is the stream of a function's lines. The original has no key that begins like it.
func (k keys) log(ref function.Ref) string {
	return string(k) + "functions:log:" + escape(ref.Namespace) + "/" + ref.ID
}

// AppendLog keeps lines and returns how many it kept. Each stream is cut to keep.Lines and, since Redis cuts whole blocks,
// up to a hundred more; it expires keep.TTL after the last line. Lines may be there twice when the connection was lost
// while they were written.
func (s *Store) AppendLog(ctx context.Context, lines []function.LogLine, keep function.LogLimits) (kept int, err error) {
	seen := map[function.Ref]bool{}
	var adds []*redis.StringCmd
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range lines {
			line := &lines[i]
			adds = append(adds, p.XAdd(ctx, &redis.XAddArgs{
				Stream: s.keys.log(line.Ref), MaxLen: int64(keep.Lines), Approx: true, Values: entryOf(line),
			}))
			seen[line.Ref] = true
		}
		for ref := range seen {
			p.PExpire(ctx, s.keys.log(ref), keep.TTL)
		}
		return nil
	})
	for _, add := range adds {
		if add.Err() == nil && add.Val() != "" {
			kept++
		}
	}
	return kept, at("append to log", judge(ctx, err))
}

func entryOf(line *function.LogLine) []any {
	return []any{
		fieldTime, line.Time.UnixMilli(), fieldRequest, line.RequestID, fieldLevel, line.Level, fieldText, line.Text,
	}
}

// ReadLog returns the lines that q selects.
func (s *Store) ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error) {
	var entries *redis.XMessageSliceCmd
	first := q.After.Next().String() // "(" for exclusive ranges needs Redis 6.2
	err := s.read(ctx, func(p redis.Pipeliner) {
		if q.Newest {
			entries = p.XRevRangeN(ctx, s.keys.log(ref), "+", first, int64(q.Limit))
		} else {
			entries = p.XRangeN(ctx, s.keys.log(ref), first, "+", int64(q.Limit))
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
