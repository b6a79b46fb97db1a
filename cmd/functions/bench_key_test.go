package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Pairs of servers that are compared, and how often each of the two is loaded, one after the other: the machine's speed
// is not always the same, and neither are two servers that were started alike.
const (
	keyPairs  = 5
	keyRounds = 4
	keyWarm   = 5 * time.Second // as long as the code of workers gets faster
)

// BenchmarkKey measures what a key costs a warm call: the processor time of a server with AUTH=on, whose callers show
// one, beside that of a server without.
func BenchmarkKey(b *testing.B) {
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			var ratios []float64
			for pair := range keyPairs {
				ratios = append(ratios, costOfKey(b, pair%2 == 0))
			}
			slices.Sort(ratios)
			benchmarks.note(b, "CPU of a warm call with a key, c=16", 100*(ratios[keyPairs/2]-1), "% more than without")
			benchmarks.note(b, "the second least and the second most of the pairs", 100*(ratios[1]-1),
				fmt.Sprintf("and %.3g %% more", 100*(ratios[keyPairs-2]-1)))
		}
	})
}

// costOfKey starts a pair of servers and returns the processor time of calls with a key as a multiple of that of calls
// without. First says that the server without keys is started first.
func costOfKey(b *testing.B, first bool) float64 {
	b.Helper()
	var without, with *server
	var key string
	startOff := func() {
		without = startBenched(b, "POOL_SIZE=16")
		put(b, without.url+helloPath, helloCode, "")
	}
	if first {
		startOff()
	}
	with, _, key = startBenchedWithKey(b, "POOL_SIZE=16")
	if !first {
		startOff()
	}
	load := func(s *server, key string, length time.Duration) measured {
		b.Helper()
		script := postBody(helloBody)
		if key != "" {
			script += "\nwrk.headers[\"Authorization\"] = \"Bearer " + key + "\""
		}
		return wrk(b, s.url+helloPath+"/run", 16, length, script, s.pid())
	}
	load(with, key, keyWarm)
	load(without, "", keyWarm)
	var off, on time.Duration
	for range keyRounds {
		off += load(without, "", time.Second).cpu
		on += load(with, key, time.Second).cpu
	}
	with.end(b)
	without.end(b)
	return on.Seconds() / off.Seconds()
}

// startBenchedWithKey starts a server with the function hello that wants keys, and returns it with that of the
// administrator and one for calls.
func startBenchedWithKey(b *testing.B, env ...string) (s *server, admin, key string) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "admin.key")
	s = startBenched(b, append(env, "AUTH=on", "ADMIN_KEY_FILE="+file)...)
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	admin = strings.TrimSpace(string(text))
	if status, answer := as(b, admin, "PUT", s.url+helloPath, deployment(helloCode, "")); status != 200 {
		b.Fatalf("deployed: %d %s", status, answer)
	}
	_, key = newKey(b, admin, s.url, `{"role":"invoke","namespaces":["other","ben*"]}`)
	return s, admin, key
}

// BenchmarkRefusal compares how long callers with a key for another namespace wait for the refusal: of a function that
// is there, and of one that is not.
func BenchmarkRefusal(b *testing.B) {
	b.Run("refusal", func(b *testing.B) {
		for b.Loop() {
			s, admin, _ := startBenchedWithKey(b, "POOL_SIZE=64")
			_, foreign := newKey(b, admin, s.url, `{"role":"invoke","namespaces":["other"]}`)
			var took [2][]time.Duration
			for i := range 2 * 4000 {
				path := []string{helloPath, "/functions/bench/missing"}[i%2]
				began := time.Now()
				if status, answer := as(b, foreign, "PUT", s.url+path+"/run", "{}"); status != 403 {
					b.Fatalf("%d %s", status, answer)
				}
				took[i%2] = append(took[i%2], time.Since(began))
			}
			there, missing := quantiles(took[0]), quantiles(took[1])
			more := 100 * (there.p50.Seconds()/missing.p50.Seconds() - 1)
			benchmarks.note(b, "p50 of a refusal where the function is there", more, "% more than where it is missing")
		}
	})
}
