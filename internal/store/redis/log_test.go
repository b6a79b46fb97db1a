package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/testenv"
)

var keep = function.LogLimits{Lines: 1000, Memory: 64 << 20, TTL: time.Hour}

func line(text string) function.LogLine {
	return function.LogLine{Ref: ref, Time: time.UnixMilli(7), RequestID: "call", Level: "info", Text: text}
}

func appendLog(t *testing.T, s *Store, lines ...function.LogLine) {
	t.Helper()
	if kept, err := s.AppendLog(t.Context(), lines, keep); kept != len(lines) || err != nil {
		t.Fatalf("kept %d of %d, %v", kept, len(lines), err)
	}
}

func TestLinesAreAStreamThatExpires(t *testing.T) {
	s, raw := withRaw(t)
	other := line("2")
	other.Ref = function.Ref{Namespace: "a/b", ID: "c/d"}
	appendLog(t, s, line("1"), other)
	for key, text := range map[string]string{"localfunctions:log:ns/id": "1", "localfunctions:log:a%2Fb/c/d": "2"} {
		entries, err := raw.XRange(t.Context(), key, "-", "+").Result()
		check(t, err)
		want := map[string]any{"t": "7", "r": "call", "l": "info", "m": text}
		if len(entries) != 1 || !maps.Equal(entries[0].Values, want) {
			t.Errorf("%s holds %v, want %v", key, entries, want)
		}
		if left := raw.PTTL(t.Context(), key).Val(); left <= 0 || left > keep.TTL {
			t.Errorf("%s expires in %v", key, left)
		}
	}
	keys := raw.Keys(t.Context(), "*").Val()
	slices.Sort(keys)
	want := []string{
		"localfunctions:log:a%2Fb/c/d", "localfunctions:log:ns/id",
		"localfunctions:logs:expires", "localfunctions:logs:order:a%2Fb", "localfunctions:logs:order:ns",
		"localfunctions:logs:sizes:a%2Fb", "localfunctions:logs:sizes:ns", "localfunctions:logs:total", "localfunctions:logs:usage",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("the keys are %q, want %q", keys, want)
	}
	for _, key := range keys {
		if left := raw.PTTL(t.Context(), key).Val(); left <= 0 || left > keep.TTL {
			t.Errorf("%s expires in %v", key, left)
		}
	}
}

func TestLinesDoNotDisturbTheOriginalsKeys(t *testing.T) {
	s, raw := withRaw(t)
	put(t, s, ref, "1", nil)
	check(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns"}))
	before := dump(t, raw)
	appendLog(t, s, line("1"))
	check(t, raw.Del(t.Context(), "localfunctions:log:ns/id").Err())
	after := dump(t, raw)
	if len(before) != len(after) ||
		!maps.Equal(before["localcode:ns/id"].(map[string]string), after["localcode:ns/id"].(map[string]string)) {
		t.Errorf("before %v\nafter %v", before, after)
	}
	for _, pattern := range []string{"localcode:*", "localnamespace:*", "localnamespaces*"} {
		appendLog(t, s, line("1"))
		keys, err := raw.Keys(t.Context(), pattern).Result()
		check(t, err)
		if len(keys) != 1 {
			t.Errorf("%s matches %v", pattern, keys)
		}
	}
}

func TestAnotherServerSeesTheLines(t *testing.T) {
	for name, endpoint := range map[string]string{
		"alone":   "redis://" + testenv.Redis(t).Addr,
		"cluster": "redis+cluster://" + testenv.RedisCluster(t).Addr,
	} {
		t.Run(name, func(t *testing.T) {
			here, there := open(t, endpoint), open(t, endpoint)
			var seen []function.LogLine
			var wg sync.WaitGroup
			wg.Go(func() {
				var err error
				if seen, err = here.AwaitLog(t.Context(), ref, function.LogCursor{}, 10, time.Minute); err != nil {
					t.Error(err)
				}
			})
			appendLog(t, there, line("1"))
			wg.Wait()
			if len(seen) != 1 || seen[0].Text != "1" {
				t.Errorf("awaited %v", seen)
			}
		})
	}
}

func TestAppendCountsWhatItKept(t *testing.T) {
	s, raw := withRaw(t)
	taken := line("1")
	taken.ID = "taken"
	check(t, raw.Set(t.Context(), "localfunctions:log:ns/taken", "text", 0).Err())
	kept, err := s.AppendLog(t.Context(), []function.LogLine{line("1"), taken, line("2")}, keep)
	if kept != 2 || err == nil {
		t.Errorf("kept %d, %v", kept, err)
	}
	if lines, err := s.ReadLog(t.Context(), taken.Ref, function.LogQuery{Limit: 1}); len(lines) != 0 || err != nil {
		t.Errorf("read %v, %v", lines, err)
	}
	check(t, s.Delete(t.Context(), taken.Ref))
	if text := raw.Get(t.Context(), "localfunctions:log:ns/taken").Val(); text != "text" {
		t.Errorf("a key of another type is now %q", text)
	}
}

func TestEntriesOfOthersAreReadAsFarAsTheyGo(t *testing.T) {
	s, raw := withRaw(t)
	for _, values := range [][]any{{"m", "only text"}, {"x", "y"}, {"t", "soon", "m", "odd time"}} {
		check(t, raw.XAdd(t.Context(), &redis.XAddArgs{Stream: "localfunctions:log:ns/id", ID: "5-*", Values: values}).Err())
	}
	check(t, raw.XAdd(t.Context(), &redis.XAddArgs{
		Stream: "localfunctions:log:ns/id", ID: "18446744073709551615-1", Values: []any{"m", "far"},
	}).Err())
	lines, err := s.ReadLog(t.Context(), ref, function.LogQuery{Limit: 10})
	check(t, err)
	var texts []string
	for _, l := range lines {
		if l.Time.UnixMilli() != 5 {
			t.Errorf("time %v", l.Time)
		}
		texts = append(texts, l.Text)
	}
	if want := []string{"only text", "", "odd time"}; !slices.Equal(texts, want) {
		t.Errorf("read %q, want %q", texts, want)
	}
}

func TestFunctionsAreDeletedWhereLinesCannotBeKept(t *testing.T) {
	s, raw := withRaw(t)
	check(
		t, raw.Do(t.Context(), "ACL", "SETUSER", "old", "on", ">pw", "~local*", "allchannels", "+@all", "-@stream").Err(),
	)
	limited := open(t, "redis://old:pw@"+raw.Options().Addr)
	put(t, limited, ref, "1", nil)
	if kept, err := limited.AppendLog(t.Context(), []function.LogLine{line("1")}, keep); kept != 0 || err == nil {
		t.Errorf("kept %d, %v", kept, err)
	}
	check(t, limited.DeleteNamespace(t.Context(), "ns"))
	check(t, limited.Delete(t.Context(), ref))
	if _, err := s.Get(t.Context(), ref); !errors.Is(err, function.ErrNotFound) {
		t.Errorf("the function is still there: %v", err)
	}
}

func TestThoseWhoWaitTakeNoConnectionFromThoseWhoWork(t *testing.T) {
	s, raw := withRaw(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range maxAwaiting {
		wg.Go(func() {
			if _, err := s.AwaitLog(ctx, ref, function.LogCursor{}, 1, time.Minute); !errors.Is(err, context.Canceled) {
				t.Errorf("await: %v", err)
			}
		})
	}
	for blocked := ""; !strings.Contains(blocked, fmt.Sprintf("blocked_clients:%d\r\n", maxAwaiting)); {
		var err error
		blocked, err = raw.Info(t.Context(), "clients").Result()
		check(t, err)
	}
	put(t, s, ref, "1", nil)
	appendLog(t, s, function.LogLine{Ref: function.Ref{Namespace: "ns", ID: "other"}})
	cancel()
	wg.Wait()
}
