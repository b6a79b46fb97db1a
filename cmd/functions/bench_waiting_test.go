package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	waitingPath   = "/functions/waiting/f"
	waitingCode   = `function main(req, res) { setTimeout(() => res.send(1), 1000) }`
	computingPath = "/functions/computing/f"
	computingCode = `function main(req, res) { let n = 0; for (let i = 0; i < 3e6; i++) n += i % 7; res.send(n > 0) }`
	waitingTime   = 8 * time.Second
)

// waiters has n callers call the function that waits, without a pause, until so much time is over; each calls once at the least.
func waiters(b *testing.B, s *server, client *http.Client, n int, length time.Duration) measured {
	b.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex // guards took
	var took []time.Duration
	end := time.Now().Add(length)
	for range n {
		all.Go(func() {
			for again := true; again; again = time.Now().Before(end) {
				began := time.Now()
				s.run(b, client, waitingPath, "{}", "1")
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	m := quantiles(took)
	m.rate = float64(len(took)) / (length + time.Second).Seconds()
	return m
}

// BenchmarkWaiting measures calls that wait for a second, as many at once as a server has workers for without configuration, and a neighbour that
// computes beside them. A call that is refused fails it.
func BenchmarkWaiting(b *testing.B) {
	for _, n := range []int{200, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				s := startBenched(b, "CODE_SYNC_TIMEOUT=100", "CODE_ASYNC_TIMEOUT=5000", "QUEUE_TIMEOUT=10s")
				put(b, s.url+waitingPath, waitingCode, "")
				put(b, s.url+computingPath, computingCode, "")
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}
				neighbour := &http.Client{Transport: &http.Transport{}}
				compute := func(int) { s.run(b, neighbour, computingPath, "{}", "true") }
				inTurnFor(time.Second, 5*time.Millisecond, compute)
				quiet := inTurnFor(waitingTime, 5*time.Millisecond, compute)
				name := fmt.Sprintf("%d calls that wait for a second", n)
				benchmarks.add(b, "computing, before "+name, quiet, "")
				benchmarks.add(b, name+", at once, the first time", waiters(b, s, client, n, 0), "")
				var beside measured
				var both sync.WaitGroup
				both.Go(func() { beside = inTurnFor(waitingTime, 5*time.Millisecond, compute) })
				again := waiters(b, s, client, n, waitingTime)
				both.Wait()
				benchmarks.add(b, name+", again and again", again, "")
				benchmarks.add(b, "computing, beside "+name, beside, "computing, before "+name)
				b.ReportMetric(beside.p99.Seconds()/quiet.p99.Seconds(), "p99/quiet")
				client.CloseIdleConnections()
				neighbour.CloseIdleConnections()
				s.end(b)
			}
		})
	}
}
