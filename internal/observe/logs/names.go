package logs

import (
	"context"
	"log/slog"
)

// What the ID of a request is called in JSON: by this server, and by the original.
const (
	requestID         = "requestId"
	originalRequestID = "request_id"
)

// originalNames adds to a message that tells the ID of a request the same ID under the name of the original.
type originalNames struct{ slog.Handler }

// Handle implements slog.Handler.
func (h originalNames) Handle(ctx context.Context, r slog.Record) error {
	var id slog.Value
	told, named := false, false
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case requestID:
			id, told = a.Value, true
		case originalRequestID:
			named = true
		}
		return true
	})
	if told && !named {
		r.AddAttrs(slog.Attr{Key: originalRequestID, Value: id})
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h originalNames) WithAttrs(attrs []slog.Attr) slog.Handler {
	return originalNames{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h originalNames) WithGroup(name string) slog.Handler {
	return originalNames{h.Handler.WithGroup(name)}
}
