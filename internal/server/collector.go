package server

import (
	"context"
	"log/slog"
)

// collector collects logged warnings with their attributes. It is not safe for concurrent use.
type collector struct{ messages []string }

// Enabled implements slog.Handler.
func (c *collector) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (c *collector) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	c.messages = append(c.messages, text)
	return nil
}

// WithAttrs implements slog.Handler; nothing here needs it.
func (c *collector) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements slog.Handler; nothing here needs it.
func (c *collector) WithGroup(string) slog.Handler { return c }
