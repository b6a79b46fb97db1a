package main

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkNeighbourOfHostileOutput measures what a quiet caller sees of 64 others whose functions write what they can, beside what it sees
// without them.
func BenchmarkNeighbourOfHostileOutput(b *testing.B) {
	s := startBenched(b, "POOL_SIZE=16")
	defer s.end(b)
	put(b, s.url+"/functions/quiet/f", `function main(req, res) { res.send(req.body) }`, "")
	url := s.url + "/functions/quiet/f/run"
	timesOf(b, url, 200)
	for b.Loop() {
		quiet := timesOf(b, url, 2000)
		stop := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					flood(b, s, 64, 2)
				}
			}
		})
		timesOf(b, url, 200) // the flood is there by then
		beside := timesOf(b, url, 2000)
		close(stop)
		all.Wait()
		benchmarks.note(b, "p50 of a quiet caller", micros(quiet[len(quiet)/2]), "µs p50")
		benchmarks.note(b, "p50 beside 64 hostile callers", micros(beside[len(beside)/2]), "µs p50 beside")
		benchmarks.note(b, "p99 of a quiet caller", micros(quiet[len(quiet)*99/100]), "µs p99")
		benchmarks.note(b, "p99 beside 64 hostile callers", micros(beside[len(beside)*99/100]), "µs p99 beside")
		benchmarks.note(b, "most memory of the server", float64(peakMemory(b, s.pid())>>20), "MB")
	}
}

// timesOf are the times of n calls one after the other, in order of length.
func timesOf(b *testing.B, url string, n int) []time.Duration {
	b.Helper()
	times := make([]time.Duration, n)
	for i := range times {
		began := time.Now()
		if r := send(http.DefaultClient, http.MethodPut, url, `{"n":1}`); r.err != nil || r.status != http.StatusOK {
			b.Fatal(r.err, r.status, r.body)
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return times
}
