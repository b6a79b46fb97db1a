package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// keyRounds is how often each of the two servers is loaded, one after the other: the machine's speed is not always the
// same.
const keyRounds = 10

// BenchmarkKey measures what a key costs a warm call: the processor time of a server with AUTH=on, whose callers show
// one, beside that of a server without.
func BenchmarkKey(b *testing.B) {
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			without := startBenched(b, "POOL_SIZE=64")
			without.hello(b, 16, "")
			with, _, key := startBenchedWithKey(b)
			load := func(s *server, key string) measured {
				script := postBody(helloBody)
				if key != "" {
					script += "\nwrk.headers[\"Authorization\"] = \"Bearer " + key + "\""
				}
				return wrk(b, s.url+helloPath+"/run", 16, 2*time.Second, script, s.pid())
			}
			load(with, key)
			var ratios []float64
			for round := range keyRounds {
				var off, on measured
				if round%2 == 0 {
					off, on = load(without, ""), load(with, key)
				} else {
					on, off = load(with, key), load(without, "")
				}
				ratios = append(ratios, on.cpu.Seconds()/off.cpu.Seconds())
			}
			slices.Sort(ratios)
			median := (ratios[keyRounds/2-1] + ratios[keyRounds/2]) / 2
			benchmarks.note(b, "CPU of a warm call with a key, c=16", 100*(median-1), "% more than without")
		}
	})
}

// startBenchedWithKey starts a server with the function hello that wants keys, and returns it with that of the
// administrator and one for calls.
func startBenchedWithKey(b *testing.B) (s *server, admin, key string) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "admin.key")
	s = startBenched(b, "POOL_SIZE=64", "AUTH=on", "ADMIN_KEY_FILE="+file)
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
			s, admin, _ := startBenchedWithKey(b)
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
