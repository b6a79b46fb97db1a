package trace

import (
	"context"
	"log/slog"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// UseLogger gives all that OpenTelemetry's SDK has to say to logger, for the whole process. By itself it writes lines
// of its own to standard error. It is to be called before New, which reads variables.
func UseLogger(logger *slog.Logger) {
	otel.SetLogger(logr.New(sdkLog{logger}))
	otel.SetErrorHandler(&losses{logger: logger})
}

// sdkLog is a logr.LogSink. The SDK's level 1 are warnings, 4 is information and 8 is for debugging.
type sdkLog struct{ logger *slog.Logger }

func (s sdkLog) Init(logr.RuntimeInfo) {}

func (s sdkLog) Enabled(level int) bool {
	return s.logger.Enabled(context.Background(), slogLevel(level))
}

func (s sdkLog) Info(level int, message string, attrs ...any) {
	s.logger.Log(context.Background(), slogLevel(level), "OpenTelemetry: "+message, attrs...)
}

func (s sdkLog) Error(err error, message string, attrs ...any) {
	s.logger.Error("OpenTelemetry: "+message, append(attrs, "error", err)...)
}

func (s sdkLog) WithValues(attrs ...any) logr.LogSink { return sdkLog{s.logger.With(attrs...)} }

func (s sdkLog) WithName(name string) logr.LogSink { return sdkLog{s.logger.With("part", name)} }

func slogLevel(level int) slog.Level {
	if level <= 1 {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
