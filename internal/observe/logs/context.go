package logs

import (
	"context"
	"log/slog"
)

// contextHandler adds what attrs finds in the context of a message to those of at least a level.
type contextHandler struct {
	slog.Handler
	attrs func(ctx context.Context) []slog.Attr
	level slog.Level
}

// withContext returns next unless there are attributes to add.
func withContext(next slog.Handler, attrs func(ctx context.Context) []slog.Attr, level slog.Level) slog.Handler {
	if attrs == nil {
		return next
	}
	return &contextHandler{next, attrs, level}
}

// Handle implements slog.Handler.
func (h *contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= h.level {
		r.AddAttrs(h.attrs(ctx)...)
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &contextHandler{h.Handler.WithAttrs(attrs), h.attrs, h.level}
}

// WithGroup implements slog.Handler.
func (h *contextHandler) WithGroup(name string) slog.Handler {
	return &contextHandler{h.Handler.WithGroup(name), h.attrs, h.level}
}
