package logs

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/backstage/functions/sandbox/rawjson"
)

// textHandler writes "info: [pid] message key=value".
type textHandler struct {
	mu    *sync.Mutex // guards out
	out   io.Writer
	level slog.Leveler
	color bool
	label string // "[pid] " or nothing
	group string // the prefix of keys, "a.b." or nothing
	attrs []byte // those of With, formatted
}

func newTextHandler(o AppOptions) *textHandler {
	h := &textHandler{mu: &sync.Mutex{}, out: o.Out, level: o.Level, color: o.Color}
	if o.PID != 0 {
		h.label = "[" + strconv.Itoa(o.PID) + "] "
	}
	return h
}

// Enabled implements slog.Handler.
func (h *textHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle implements slog.Handler.
func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	name, color := nameOf(r.Level)
	if h.color {
		name = "\x1b[" + color + "m" + name + "\x1b[39m"
	}
	line := append([]byte(name), ": "...)
	line = append(line, h.label...)
	line = appendLine(line, r.Message)
	line = append(line, h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		line = appendAttr(line, h.group, a)
		return true
	})
	line = append(line, '\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.out.Write(line)
	return err
}

// WithAttrs implements slog.Handler.
func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = next.attrs[:len(next.attrs):len(next.attrs)]
	for _, a := range attrs {
		next.attrs = appendAttr(next.attrs, h.group, a)
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *textHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	next.group += name + "."
	return &next
}

func appendAttr(dst []byte, group string, a slog.Attr) []byte {
	value := a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
		return dst
	case value.Kind() == slog.KindGroup:
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, member := range value.Group() {
			dst = appendAttr(dst, group, member)
		}
		return dst
	}
	dst = append(dst, ' ')
	dst = appendWord(dst, group+a.Key)
	dst = append(dst, '=')
	return appendWord(dst, value.String())
}

// appendWord appends s, in quotes if its end would not be clear without them.
func appendWord(dst []byte, s string) []byte {
	plain := func(r rune) bool { return r > ' ' && r != '"' && r != '=' && r != '\\' && !rawjson.IsInvisible(r) }
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = appendField(dst, s)
	return append(dst, '"')
}
