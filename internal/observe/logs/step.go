package logs

import (
	"context"
	"log/slog"
	"time"

	"github.com/backstage/functions/internal/invoke"
)

// Step writes a line for a step of a pipeline that has ended, with the names that the original gave its parts. See
// invoke.Options.
func Step(ctx context.Context, log *slog.Logger, call invoke.Call, status int, took time.Duration) {
	if !log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	log.LogAttrs(ctx, slog.LevelInfo, "Step of a pipeline",
		slog.String("method", call.Request.Method),
		slog.String("request_uri", shown(call.URI)),
		slog.Int("status", status),
		slog.String(originalRequestID, call.ID),
		slog.Float64("request_time", float64(took.Milliseconds())/1000),
		slog.String("namespace", call.Ref.Namespace),
		slog.String("function_id", call.Ref.ID),
	)
}
