package redis

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/testenv"
)

func callSpec(id string, bytes int) *queue.Spec {
	return &queue.Spec{ID: id, Ref: ref, Payload: make([]byte, bytes), Attempts: 3, MaxAge: time.Hour, Keep: time.Hour, KeepDead: time.Hour}
}

var manyCalls = queue.Limits{Calls: 1 << 20, Bytes: 1 << 40}

func TestARedisThatDropsCallsIsWarnedOf(t *testing.T) {
	for policy, warned := range map[string]bool{"allkeys-lru": true, "noeviction": false, "volatile-lru": false} {
		var log strings.Builder
		s, err := Open(t.Context(), Options{
			Endpoint: "redis://" + testenv.Redis(t, "--maxmemory-policy", policy).Addr,
			Logger:   slog.New(slog.NewTextHandler(&log, nil)),
		})
		check(t, err)
		check(t, s.Close())
		if got := strings.Contains(log.String(), "maxmemory-policy"); got != warned {
			t.Errorf("%s: warned %v: %s", policy, got, log.String())
		}
	}
}

// TestAFullRedisFinishesWhatItHas fills Redis. What is queued can still be taken and settled, in whole scripts.
func TestAFullRedisFinishesWhatItHas(t *testing.T) {
	s, raw := withRaw(t)
	for _, id := range []string{"1", "2", "3", "4"} {
		_, err := s.PutCall(t.Context(), callSpec(id, 10), manyCalls)
		check(t, err)
	}
	first, _, err := s.TakeCalls(t.Context(), "one", 1, time.Hour)
	check(t, err)
	check(t, raw.ConfigSet(t.Context(), "maxmemory", "1mb").Err())
	_, err = s.PutCall(t.Context(), callSpec("5", 10), manyCalls)
	if !errors.Is(err, function.ErrFull) || !errors.Is(err, function.ErrUnavailable) {
		t.Fatalf("a put into a full Redis: %v", err)
	}
	_, err = s.RenewCalls(t.Context(), []queue.Renewal{{Lease: queue.LeaseOf(first[0])}}, time.Hour)
	check(t, err)
	rest, _, err := s.TakeCalls(t.Context(), "one", 9, time.Hour)
	check(t, err)
	for i, outcome := range []queue.Outcome{queue.Retry, queue.Fail, queue.Done} {
		c := append(first, rest...)[i]
		_, err := s.SettleCall(t.Context(), &queue.Settlement{
			Lease: queue.LeaseOf(c), Outcome: outcome, Detail: []byte("{}"), Result: []byte("r"),
		})
		check(t, err)
	}
	check(t, s.CancelCall(t.Context(), ref, rest[2].ID))
	again, _, err := s.TakeCalls(t.Context(), "one", 9, time.Hour)
	check(t, err)
	if len(rest) != 3 || len(again) != 1 || again[0].ID != first[0].ID {
		t.Errorf("took %d, then %d", len(rest), len(again))
	}
	stats, err := s.CallStats(t.Context())
	if err != nil || stats != (queue.Stats{Running: 1, Dead: 1}) {
		t.Errorf("got %+v, %v", stats, err)
	}
}

// TestNothingIsLeftOfCallsThatAreGone looks at the keys themselves.
func TestNothingIsLeftOfCallsThatAreGone(t *testing.T) {
	s, raw := withRaw(t)
	c := callSpec("1", 10)
	c.Keep, c.Key, c.KeyFor = time.Millisecond, "key", time.Millisecond
	_, err := s.PutCall(t.Context(), c, manyCalls)
	check(t, err)
	check(t, s.CancelCall(t.Context(), ref, "1"))
	eventually(t, func() error {
		if _, _, err := s.TakeCalls(t.Context(), "one", 1, time.Hour); err != nil {
			return err
		}
		keys, err := raw.Keys(t.Context(), "*").Result()
		if err == nil && len(keys) > 0 {
			err = errors.New(strings.Join(keys, " "))
		}
		return err
	})
}

// TestCallsOutliveRedis restarts a Redis that writes an append-only file, between any two steps of a call.
func TestCallsOutliveRedis(t *testing.T) {
	server := testenv.Redis(t, "--appendonly", "yes", "--appendfsync", "always", "--dir", t.TempDir())
	s := open(t, "redis://"+server.Addr)
	restart := func() {
		server.Stop()
		server.Start()
		eventually(t, func() error { return s.Ping(t.Context()) })
	}
	_, err := s.PutCall(t.Context(), callSpec("1", 10), manyCalls)
	check(t, err)
	restart()
	taken, _, err := s.TakeCalls(t.Context(), "one", 1, time.Hour)
	check(t, err)
	restart()
	_, err = s.SettleCall(t.Context(), &queue.Settlement{
		Lease: queue.LeaseOf(taken[0]), Outcome: queue.Done, Result: []byte("r"),
	})
	check(t, err)
	restart()
	if result, err := s.CallResult(t.Context(), ref, "1"); err != nil || string(result) != "r" {
		t.Errorf("result %q, %v", result, err)
	}
}
