package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTextIsThatOfTheOriginal(t *testing.T) {
	for _, row := range []struct {
		name string
		o    AppOptions
		log  func(*slog.Logger)
		want string
	}{
		{"pid label", AppOptions{PID: 42}, func(l *slog.Logger) { l.Info("hello") }, "info: [42] hello\n"},
		{"no label", AppOptions{}, func(l *slog.Logger) { l.Info("hello") }, "info: hello\n"},
		{"warn", AppOptions{}, func(l *slog.Logger) { l.Warn("hello") }, "warn: hello\n"},
		{"error", AppOptions{}, func(l *slog.Logger) { l.Error("hello") }, "error: hello\n"},
		{"colour", AppOptions{Color: true, PID: 1}, func(l *slog.Logger) { l.Error("no") }, "\x1b[31merror\x1b[39m: [1] no\n"},
		{"colour of info", AppOptions{Color: true}, func(l *slog.Logger) { l.Info("yes") }, "\x1b[32minfo\x1b[39m: yes\n"},
		{"attributes", AppOptions{}, func(l *slog.Logger) { l.Info("m", "a", 1, "b", "two words", "c", "") }, `info: m a=1 b="two words" c=""` + "\n"},
		{"error attribute", AppOptions{}, func(l *slog.Logger) { l.Info("m", "error", errors.New("no \"x\"")) }, `info: m error="no \"x\""` + "\n"},
		{"duration", AppOptions{}, func(l *slog.Logger) { l.Info("m", "took", time.Second) }, "info: m took=1s\n"},
		{"with", AppOptions{}, func(l *slog.Logger) { l.With("a", 1).Info("m", "b", 2) }, "info: m a=1 b=2\n"},
		{"group", AppOptions{}, func(l *slog.Logger) {
			l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("").Info("m", "c", 3, slog.Group("h", "d", 4), slog.Group("", "e", 5))
		}, "info: m a=1 g.b=2 g.c=3 g.h.d=4 g.e=5\n"},
		{"empty attribute", AppOptions{}, func(l *slog.Logger) { l.Info("m", slog.Attr{}) }, "info: m\n"},
		{"forged line", AppOptions{}, func(l *slog.Logger) { l.Info("a\nerror: b\r\x1b[2J\u0085\u2028\xff\tc") }, `info: a\nerror: b\r\u001b[2J\u0085\u2028` + "\uFFFD\tc\n"},
		{
			"hidden text",
			AppOptions{},
			func(l *slog.Logger) {
				l.Info("a\u202eb\u2067\u200b\u00ad\ufeff\U000e0041\ufe0f\u3164 é 💥", "k", "\u061c")
			},
			`info: a\u202eb\u2067\u200b\u00ad\ufeff\udb40\udc41\ufe0f\u3164 é 💥 k="\u061c"` + "\n",
		},
		{"forged attribute", AppOptions{}, func(l *slog.Logger) { l.Info("m", "k", "v\n\x00", "a b=", 1) }, `info: m k="v\n\u0000" "a b="=1` + "\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			row.o.Out = &out
			row.log(NewApp(row.o))
			if out.String() != row.want {
				t.Errorf("wrote %q, want %q", &out, row.want)
			}
		})
	}
}

func TestWithDoesNotDisturbItsSiblings(t *testing.T) {
	var out bytes.Buffer
	parent := NewApp(AppOptions{Out: &out}).With("a", 1)
	first, second := parent.With("b", 2), parent.With("c", 3)
	first.Info("m")
	second.Info("m")
	if want := "info: m a=1 b=2\ninfo: m a=1 c=3\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", &out, want)
	}
}

func TestJSONIsOneObjectALine(t *testing.T) {
	var out bytes.Buffer
	log := NewApp(AppOptions{Out: &out, JSON: true, Level: LevelSilly, PID: 42, Color: true})
	log.Error("a\nb", "function", "ns/id", slog.Group("g", "msg", 1, "level", 2))
	log.Log(context.Background(), LevelVerbose, "c", "level", "high")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines in %q", len(lines), &out)
	}
	var first struct {
		Time                     time.Time
		Level, Message, Function string
		G                        map[string]int
	}
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	if first.Time.IsZero() || first.Level != "error" || first.Message != "a\nb" || first.Function != "ns/id" || first.G["msg"] != 1 || first.G["level"] != 2 {
		t.Errorf("first line %s", lines[0])
	}
	if !strings.Contains(lines[1], `"level":"verbose","message":"c","level":"high"`) {
		t.Errorf("second line %s", lines[1])
	}
}

func TestMessagesNameTheirRequest(t *testing.T) {
	type key struct{}
	attrs := func(ctx context.Context) []slog.Attr {
		if id, ok := ctx.Value(key{}).(string); ok {
			return []slog.Attr{slog.String("requestId", id)}
		}
		return nil
	}
	ctx := context.WithValue(t.Context(), key{}, "call-7")
	var text, lines bytes.Buffer
	for _, log := range []*slog.Logger{NewApp(AppOptions{Out: &text, Context: attrs}), NewApp(AppOptions{Out: &lines, Context: attrs, JSON: true})} {
		log = log.With("a", 1)
		log.InfoContext(ctx, "original")
		log.WarnContext(ctx, "new")
		log.Warn("other")
	}
	if want := "info: original a=1\nwarn: new a=1 requestId=call-7\nwarn: other a=1\n"; text.String() != want {
		t.Errorf("wrote %q, want %q", &text, want)
	}
	if got := strings.Count(lines.String(), `,"a":1,"requestId":"call-7","request_id":"call-7"}`); got != 2 {
		t.Errorf("wrote %s", &lines)
	}
}

func TestJSONHidesNothing(t *testing.T) {
	var out bytes.Buffer
	NewApp(AppOptions{Out: &out, JSON: true}).Error("a\u202eb\u200f\u009b\x7f é 💥", "k", "\U000e0041\u2028")
	if want := `"message":"a\u202eb\u200f\u009b\u007f é 💥","k":"\udb40\udc41\u2028"}` + "\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("wrote %q, want %q", &out, want)
	}
}

func TestLevelsAreThoseOfTheOriginal(t *testing.T) {
	names := []string{"error", "warn", "info", "verbose", "debug", "silly"}
	for i, limit := range names {
		level, err := ParseLevel(limit)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		log := NewApp(AppOptions{Out: &out, Level: level})
		want := ""
		for j, name := range names {
			each, err := ParseLevel(name)
			if err != nil {
				t.Fatal(err)
			}
			log.Log(t.Context(), each, "m")
			if j <= i {
				want += name + ": m\n"
			}
		}
		if out.String() != want {
			t.Errorf("at level %s: wrote %q, want %q", limit, &out, want)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("level loud is accepted")
	}
	if name, _ := nameOf(LevelSilly - 100); name != "silly" {
		t.Errorf("a level below silly is called %s", name)
	}
}

func TestAppLogIsSafeForConcurrentUse(t *testing.T) {
	var out bytes.Buffer
	log := NewApp(AppOptions{Out: &out})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				log.With("a", 1).Info("m")
			}
		})
	}
	group.Wait()
	if out.String() != strings.Repeat("info: m a=1\n", 800) {
		t.Error("lines are torn or missing")
	}
}

func TestFileIsNoTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	if IsTerminal(file) {
		t.Error("a file is called a terminal")
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if IsTerminal(file) {
		t.Error("a closed file is called a terminal")
	}
}
