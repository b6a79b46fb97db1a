package store

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
)

// Logs keeps the newest lines that functions printed.
type Logs interface {
	// AppendLog keeps lines of any functions, in order, within the limits. It returns how many it kept, and an error if
	// that is not all of them.
	AppendLog(ctx context.Context, lines []function.LogLine, keep function.LogLimits) (kept int, err error)
	// ReadLog returns the lines that q selects, none for a function that is not there.
	ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error)
	// AwaitLog returns the first lines after a place, at most limit, and waits for one if there is none. It returns none,
	// and no error, when none has come within the given time.
	AwaitLog(
		ctx context.Context, ref function.Ref, after function.LogCursor, limit int, within time.Duration,
	) ([]function.LogLine, error)
}
