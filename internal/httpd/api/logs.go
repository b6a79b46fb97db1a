package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Logs is where the output of functions is kept. It must be safe for concurrent use. Its errors are or wrap those of
// package function.
type Logs interface {
	// Revision returns function.ErrNotFound for a function that does not exist.
	Revision(ctx context.Context, ref function.Ref) (string, error)
	// ReadLog returns the lines that q selects.
	ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error)
	// AwaitLog returns the first lines after a place, at most limit, and waits for one if there is none. It returns
	// none when none has come within the given time.
	AwaitLog(
		ctx context.Context,
		ref function.Ref,
		after function.LogCursor,
		limit int,
		within time.Duration,
	) ([]function.LogLine, error)
}

const (
	contentTypeLines  = "application/x-ndjson; charset=utf-8"
	contentTypeEvents = "text/event-stream"
	headerCache       = "Cache-Control"
	headerLastEvent   = "Last-Event-Id" // as net/http writes what browsers send as Last-Event-ID
)

// functionLogs answers with the newest lines that a function printed, or follows them.
func (s *server) functionLogs(w http.ResponseWriter, r *http.Request) error {
	if s.Logs == nil {
		return outcome.NotFound("Output of functions is not kept: FUNCTION_LOGS_KEPT is 0")
	}
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	asked, err := parseLogsRequest(r)
	if err != nil {
		return err
	}
	follows := asked.follow && r.Method != http.MethodHead
	if follows {
		if err := s.Disabled.Check(ref.Namespace); err != nil {
			return err
		}
	}
	if _, err := s.Logs.Revision(r.Context(), ref); err != nil {
		return fmt.Errorf("logs of %s: %w", ref, err)
	}
	if follows {
		return s.followLogs(w, r, ref, asked)
	}
	return s.sendLogs(w, r, ref, asked)
}

// readLogs returns what is there of the lines that are asked for.
func (s *server) readLogs(ctx context.Context, ref function.Ref, asked logsRequest) ([]function.LogLine, error) {
	q := asked.query()
	if q.Limit == 0 {
		return nil, nil
	}
	lines, err := s.Logs.ReadLog(ctx, ref, q)
	if err != nil {
		return nil, fmt.Errorf("logs of %s: %w", ref, err)
	}
	return lines, nil
}

// appendLogLine appends a line as a JSON object. Nothing in it can end the line or be a command to a terminal.
func appendLogLine(dst []byte, line *function.LogLine) []byte {
	o := rawjson.NewObject(dst)
	lineMembers(&o, line)
	return o.End()
}

// lineMembers writes the members that a line has wherever it is shown.
func lineMembers(o *rawjson.Object, line *function.LogLine) {
	o.String("id", line.Cursor.String())
	o.Time("time", line.Time)
	o.Visible("requestId", line.RequestID)
	o.Visible("level", line.Level)
	o.Visible("message", line.Text)
}
