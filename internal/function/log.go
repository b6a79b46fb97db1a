package function

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
	"time"
)

// LogLine is one line that a function printed during a call, as a store keeps it.
type LogLine struct {
	Ref
	// Cursor is the line's place among the lines of its function. A store sets it.
	Cursor LogCursor
	// Time is when the line was printed, with a precision of a millisecond.
	Time time.Time
	// RequestID is the invocation ID of the call, the X-Request-Id of its answer.
	RequestID string
	// Queued says that an attempt of an asynchronous call printed it: RequestID is that of the attempt, while other
	// callers choose theirs.
	Queued bool
	// Step is that of an asynchronous pipeline, from 1, whose attempt printed it; else 0.
	Step int
	// Level is "info" or "error".
	Level string
	// Text has no line break; its other control characters are as the function printed them.
	Text string
}

// LogLimits say how much is kept.
type LogLimits struct {
	// Lines is how many lines of each function are kept, above 0. A store may keep some more.
	Lines int
	// Memory bounds the lines of all functions together, in bytes. When they are full, the namespace with the most
	// bytes loses lines, those of its function that printed least recently first.
	Memory int64
	// Namespace bounds the lines of the functions of one namespace, in bytes, where they are on another server. 0 stands
	// for Memory.
	Namespace int64
	// TTL is how long the lines of a function that prints nothing more are kept, where they are on another server.
	TTL time.Duration
}

// LogQuery selects lines of one function. They are returned in the order in which they were printed.
type LogQuery struct {
	// After leaves out the line at this place and all before it. The zero value leaves out none.
	After LogCursor
	// Limit is the most lines that are returned, above 0.
	Limit int
	// Bytes ends the result with the line whose text brings the sum of all texts to as many bytes. 0 sets no end.
	Bytes int
	// Newest takes the last lines if there are more than Limit. Otherwise the first are taken.
	Newest bool
}

// LogCursor is the place of a line among those of its function: a time in milliseconds, and a number among the lines of
// that time. It is what Redis calls the ID of an entry of a stream. The zero value is before all lines.
type LogCursor struct {
	Millis, Seq uint64
}

// Fit returns how many of the given lines q takes, the first of them or, with Newest, the last: of many that Limit
// allows fewer may fit into Bytes, but never none.
func (q *LogQuery) Fit(lines []LogLine) int {
	most := min(len(lines), q.Limit)
	for i, bytes := 0, 0; q.Bytes > 0 && i < most; i++ {
		at := i
		if q.Newest {
			at = len(lines) - 1 - i
		}
		if bytes += len(lines[at].Text); bytes >= q.Bytes {
			return i + 1
		}
	}
	return most
}

var errLogCursor = errors.New(`not the id of a line, which is such as "1767225600000-0"`)

// ParseLogCursor is the inverse of String. Both numbers must fit 63 bits.
func ParseLogCursor(text string) (LogCursor, error) {
	millis, seq, _ := strings.Cut(text, "-")
	m, err := strconv.ParseUint(millis, 10, 63)
	if err != nil {
		return LogCursor{}, errLogCursor
	}
	n, err := strconv.ParseUint(seq, 10, 63)
	if err != nil {
		return LogCursor{}, errLogCursor
	}
	return LogCursor{m, n}, nil
}

// String is the two numbers with a dash between.
func (c LogCursor) String() string {
	return strconv.FormatUint(c.Millis, 10) + "-" + strconv.FormatUint(c.Seq, 10)
}

// Compare orders lines as they were kept.
func (c LogCursor) Compare(other LogCursor) int {
	return cmp.Or(cmp.Compare(c.Millis, other.Millis), cmp.Compare(c.Seq, other.Seq))
}

// Next is the first place after c.
func (c LogCursor) Next() LogCursor { return LogCursor{c.Millis, c.Seq + 1} }
