package main

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// BenchmarkDeadline measures how long after its deadline a caller of a function that loops is answered, and what callers of another
// function notice of a stream of such calls.
func BenchmarkDeadline(b *testing.B) {
	const limit = 100 * time.Millisecond
	const quiet, beside = "hello 100 times a second, alone", "hello 100 times a second, beside loops"
	for b.Loop() {
		s := startBenched(b, "CODE_SYNC_TIMEOUT="+strconv.Itoa(int(limit.Milliseconds())))
		put(b, s.url+"/functions/busy/loop", `function main() { for (;;); }`, "")
		s.hello(b, 1, "")
		hello := func(int) { s.run(b, http.DefaultClient, helloPath, helloBody, helloAnswer) }
		benchmarks.add(b, quiet, inTurn(10*time.Millisecond, hello), "")

		var took []time.Duration
		for range 100 {
			began := time.Now()
			r := send(http.DefaultClient, http.MethodPost, s.url+"/functions/busy/loop/run", "{}")
			took = append(took, time.Since(began)-limit)
			if r.err != nil || r.status == http.StatusOK {
				b.Fatalf("a loop: %v", r)
			}
		}
		late := quantiles(took)
		benchmarks.note(b, "from the deadline to the answer, p50", micros(late.p50)/1e3, "ms")
		benchmarks.note(b, "from the deadline to the answer, p99", micros(late.p99)/1e3, "ms")

		stop := inBackground(1, func(int) { send(http.DefaultClient, http.MethodPost, s.url+"/functions/busy/loop/run", "{}") })
		benchmarks.add(b, beside, inTurn(10*time.Millisecond, hello), quiet)
		stop()
	}
}
