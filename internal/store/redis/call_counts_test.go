package redis

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/queue"
)

// TestCallsAreCountedAsTheyAre does random things to calls, callbacks and idempotency keys of some namespaces, within
// limits that are met all the time, and some of it too late. What the parts count is what their calls are.
func TestCallsAreCountedAsTheyAre(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			s, raw := withRaw(t)
			u := &callUser{t: t, s: s, random: rand.New(rand.NewPCG(seed, 5)), did: map[string]int{}}
			for i := range 600 {
				u.step()
				if i%60 == 59 {
					wantCountedCalls(t, raw, s.keys)
				}
			}
			t.Logf("did %v", u.did)
		})
	}
}

// wantCountedCalls compares what the parts count with what their calls are.
func wantCountedCalls(t *testing.T, raw *redis.Client, k keys) {
	t.Helper()
	for _, part := range k.callParts() {
		got := countedIn(t, raw, part)
		want := callsIn(t, raw, part)
		for name, n := range want {
			if got[name] != n {
				t.Errorf("%s%s is %d, want %d", part, name, got[name], n)
			}
			delete(got, name)
		}
		for name, n := range got {
			if n != 0 {
				t.Errorf("%s%s is %d, want none", part, name, n)
			}
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// countedIn is what a part counts.
func countedIn(t *testing.T, raw *redis.Client, part string) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	if size, err := raw.Get(t.Context(), part+"size").Int64(); err == nil {
		counts["size"] = size
	}
	for _, hash := range []string{"calls", "bytes", "spare", "spares", "held"} {
		fields, err := raw.HGetAll(t.Context(), part+hash).Result()
		check(t, err)
		for field, text := range fields {
			n, err := strconv.ParseInt(text, 10, 64)
			check(t, err)
			counts[hash+" "+field] = n
		}
	}
	for _, set := range []string{"most:calls", "most:bytes"} {
		members, err := raw.ZRangeWithScores(t.Context(), part+set, 0, -1).Result()
		check(t, err)
		for _, m := range members {
			counts[set+" "+m.Member.(string)] = int64(m.Score)
		}
	}
	for _, set := range []string{"queued", "leases", "expiry", "telling"} {
		n, err := raw.ZCard(t.Context(), part+set).Result()
		check(t, err)
		counts["sets"] += n
	}
	return counts
}

// callsIn is what a part should count.
func callsIn(t *testing.T, raw *redis.Client, part string) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	names, err := raw.Keys(t.Context(), part+"call:*").Result()
	check(t, err)
	for _, name := range names {
		c, err := raw.HGetAll(t.Context(), name).Result()
		check(t, err)
		id, ns := strings.TrimPrefix(name, part+"call:"), c["ns"]
		size, err := strconv.ParseInt(c["size"], 10, 64)
		check(t, err)
		texts := int64(len(c["payload"]) + len(c["result"]) + len(c["history"]))
		callback, err := raw.HGet(t.Context(), part+"callbacks:call:"+id, "history").Result()
		if err == nil {
			texts += int64(len(callback))
		}
		fixed := int64(queue.Overhead + len(c["spec"]))
		if c["tellAttempts"] != "" {
			fixed *= 2
		}
		if c["status"] == "held" || c["status"] == "answered" {
			fixed += int64(len(ns) + len("f") + len(c["key"]) + len(c["print"]))
		}
		if size != fixed+texts {
			t.Errorf("%s counts as %d, want %d: %v", name, size, fixed+texts, c["status"])
		}
		counts["size"] += size
		counts["calls "+ns]++
		counts["bytes "+ns] += size
		counts["sets"]++
		if c["status"] == "running" {
			counts["held "+ns]++
		}
		if raw.ZScore(t.Context(), part+"done:"+ns, id).Err() == nil {
			counts["spare "+ns] += size
			counts["spares bytes"] += size
			counts["spares calls"]++
		}
	}
	for name := range counts {
		if ns, ok := strings.CutPrefix(name, "spare "); ok {
			counts["most:calls "+ns] = counts["calls "+ns]
			counts["most:bytes "+ns] = counts["bytes "+ns]
		}
	}
	return counts
}
