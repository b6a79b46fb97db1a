package redis

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

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
	if err != nil || stats.Queued != 0 || stats.Running != 1 || stats.Dead != 1 || stats.Calls != 4 {
		t.Errorf("got %+v, %v", stats, err)
	}
}

// TestARecordThatNobodyCouldUseIsNotTaken has numbers that the store does not write. Others are taken, and listed, all
// the same.
func TestARecordThatNobodyCouldUseIsNotTaken(t *testing.T) {
	s, raw := withRaw(t)
	for field, value := range map[string]string{"step": "-1", "used": "-2", "takes": "-7"} {
		for _, id := range []string{field, field + " of none"} {
			_, err := s.PutCall(t.Context(), callSpec(id, 10), manyCalls)
			check(t, err)
		}
		check(t, raw.HSet(t.Context(), s.callKey(ref, field), field, value).Err())
		taken, _, err := s.TakeCalls(t.Context(), "one", 9, time.Hour)
		check(t, err)
		if len(taken) != 1 || taken[0].ID != field+" of none" {
			t.Errorf("%s: took %d", field, len(taken))
		}
		if _, err := s.GetCall(t.Context(), ref, field); !errors.Is(err, queue.ErrIncomplete) {
			t.Errorf("%s: %v", field, err)
		}
	}
	page, err := s.ListCalls(t.Context(), &queue.Query{Ref: ref, Limit: 10})
	if err != nil || len(page.Calls) != 3 {
		t.Errorf("the list has %d, %v", len(page.Calls), err)
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

// TestCallsTakeOfRedisWhatTheyCountAs fills the limits with the smallest calls and with some of usual lengths. Redis needs
// no more memory than the limit, but for a little, and the next call is refused.
func TestCallsTakeOfRedisWhatTheyCountAs(t *testing.T) {
	for _, payload := range []int{0, 300, 5000} {
		t.Run(strconv.Itoa(payload), func(t *testing.T) {
			s, raw := withRaw(t)
			used := func() int64 {
				t.Helper()
				info, err := raw.Info(t.Context(), "memory").Result()
				check(t, err)
				n, err := strconv.ParseInt(infoField(info, "used_memory"), 10, 64)
				check(t, err)
				return n
			}
			_, err := s.PutCall(t.Context(), callSpec("first", payload), manyCalls)
			check(t, err)
			before := used()
			limits := queue.Limits{Calls: 1 << 20, Bytes: 1 << 40, AllCalls: 1 << 20, AllBytes: 8 << 20}
			n := 0
			for ; ; n++ {
				c := callSpec(uuid.Must(uuid.NewV7()).String(), payload)
				c.Ref.Namespace = strconv.Itoa(n % 7)
				if _, err = s.PutCall(t.Context(), c, limits); err != nil {
					break
				}
			}
			if !errors.Is(err, queue.ErrStoreFull) {
				t.Fatal(err)
			}
			took := used() - before
			t.Logf("%d calls take %d bytes, %d each", n, took, took/int64(n))
			if took > limits.AllBytes*11/10 {
				t.Errorf("calls take %d bytes of Redis, their limit is %d", took, limits.AllBytes)
			}
		})
	}
}

func TestAnOldRedisIsGivenNoCalls(t *testing.T) {
	for version, old := range map[string]bool{"2.8.24": true, "4.0.14": true, "5.0.0": false, "7.2.4": false, "": false, "x": false} {
		if tooOldForCalls(version) != old {
			t.Errorf("%q is too old: %v", version, !old)
		}
	}
	s, _ := withRaw(t)
	s.tooOld.Store(true)
	_, err := s.PutCall(t.Context(), callSpec("1", 1), manyCalls)
	if !errors.Is(err, queue.ErrUnsupported) {
		t.Errorf("a put: %v", err)
	}
	if _, _, err := s.TakeCalls(t.Context(), "one", 1, time.Hour); !errors.Is(err, queue.ErrUnsupported) {
		t.Errorf("a take: %v", err)
	}
}
