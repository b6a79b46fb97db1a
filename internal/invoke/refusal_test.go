package invoke

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/sandbox"
)

func TestRefusedCallsOfAFunctionAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		pool := &fakePool{}
		pool.fails("a/b.js", sandbox.ErrBusy)
		pool.fails("a/c.js", sandbox.ErrClosed)
		pool.fails("a/d.js", context.Canceled)
		v := New(Options{
			Pool: pool, Source: newSource(stored("a/b", "x"), stored("a/c", "x"), stored("a/d", "x")),
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
				Level: slog.LevelWarn, ReplaceAttr: withoutTime,
			})),
		})
		for _, name := range []string{"a/b", "a/b", "a/c", "a/d", "a/b"} {
			_, _ = v.Run(t.Context(), Call{Ref: ref(name)})
		}
		time.Sleep(refusalReport)
		_, _ = v.Run(t.Context(), Call{Ref: ref("a/b")})
		const format = "level=WARN msg=\"Calls were refused\" function=%s calls=%d last_error=%q\n"
		want := fmt.Sprintf(format, "a/b", 1, sandbox.ErrBusy) + fmt.Sprintf(format, "a/c", 1, sandbox.ErrClosed) +
			fmt.Sprintf(format, "a/b", 3, sandbox.ErrBusy)
		if log.String() != want {
			t.Errorf("logged\n%s\nwant\n%s", log.String(), want)
		}
	})
}

func TestRefusedFunctionsInMemoryAreBounded(t *testing.T) {
	r := newRefusals(slog.New(slog.DiscardHandler))
	now := time.Now()
	for i := range maxRefused {
		if r.count(ref(fmt.Sprintf("a/%d", i)), now) != 1 {
			t.Fatal("no line")
		}
	}
	if r.count(ref("a/b"), now) != 0 || len(r.functions) != maxRefused {
		t.Errorf("%d functions in memory", len(r.functions))
	}
	if r.count(ref("a/b"), now.Add(refusalReport)) != 1 || len(r.functions) != 1 {
		t.Errorf("%d functions in memory a minute later", len(r.functions))
	}
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
