package logs

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math"
	"os"

	"github.com/backstage/functions/sandbox/rawjson"
)

// AppOptions configure the server's own log.
type AppOptions struct {
	// Out receives each message in one Write.
	Out io.Writer
	// Level is the least important one that is written; nil stands for info. A *slog.LevelVar may change
	// while the log is in use.
	Level slog.Leveler
	// JSON writes an object a line instead of text: time, level, message and the attributes.
	JSON bool
	// Color adds ANSI colours to the text, for terminals.
	Color bool
	// PID labels each line of the text; 0 leaves the label out.
	PID int
	// Context returns attributes that a message takes from its context, such as the ID of a request. In text only
	// warnings and errors have them: what the original writes is not changed. Nil stands for none.
	Context func(ctx context.Context) []slog.Attr
}

// NewApp returns the server's own log. Its text is that of the original, "info: [pid] message", followed by attributes
// as key=value.
func NewApp(o AppOptions) *slog.Logger {
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	if o.JSON {
		json := slog.NewJSONHandler(plainJSON{o.Out}, &slog.HandlerOptions{Level: o.Level, ReplaceAttr: nameJSON})
		return slog.New(withContext(originalNames{json}, o.Context, slog.Level(math.MinInt)))
	}
	return slog.New(withContext(newTextHandler(o), o.Context, slog.LevelWarn))
}

// plainJSON escapes what cannot be seen in the JSON that it passes on.
type plainJSON struct{ out io.Writer }

func (w plainJSON) Write(line []byte) (int, error) {
	if i := bytes.IndexFunc(line, func(r rune) bool { return r >= 0x7f }); i >= 0 {
		plain := rawjson.AppendInvisibleEscaped(nil, line)
		_, err := w.out.Write(plain)
		return len(line), err
	}
	return w.out.Write(line)
}

// nameJSON gives the members the names that the contract has for them.
func nameJSON(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch level, ok := a.Value.Any().(slog.Level); {
	case a.Key == slog.MessageKey:
		a.Key = "message"
	case a.Key == slog.LevelKey && ok:
		name, _ := nameOf(level)
		a.Value = slog.StringValue(name)
	}
	return a
}

// IsTerminal says whether f is a terminal or another character device, which colours do no harm.
func IsTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
