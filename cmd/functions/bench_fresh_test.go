package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkFresh measures calls of a function that gets a process never used before for each, forked and started directly, with each
// degree of isolation.
func BenchmarkFresh(b *testing.B) {
	const direct = "fresh process, started directly, c=1"
	b.Run(direct, func(b *testing.B) {
		for b.Loop() {
			benchmarks.add(b, direct, fresh(b, 1, "RUNNER_DIR="+runnerWithoutAddon(b)), "")
		}
	})
	for _, row := range []struct {
		isolation   string
		connections int
	}{{"strict", 1}, {"strict", 4}, {"process", 1}, {"none", 1}} {
		name := fmt.Sprintf("fresh process, ISOLATION=%s, c=%d", row.isolation, row.connections)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				benchmarks.add(b, name, fresh(b, row.connections, "ISOLATION="+row.isolation), direct)
			}
		})
	}
}

func fresh(b *testing.B, connections int, vars ...string) measured {
	b.Helper()
	s := startBenched(b, vars...)
	s.hello(b, connections, `"maxInvocations":1`)
	return s.loadHello(b, connections, loadTime)
}

// BenchmarkLarge measures calls in fresh processes of a function of half a megabyte: of revisions that are called for the first time, whose code is
// compiled, and of one whose code has been compiled before.
func BenchmarkLarge(b *testing.B) {
	const compiled, before = "fresh process, 540 kB of code, c=1", "fresh process, 540 kB of code compiled before, c=1"
	const path, answer = "/functions/bench/large", `[[1,2],[3]]`
	lodash, err := os.ReadFile("../../runner-js/node_modules/lodash/lodash.js")
	if err != nil {
		b.Fatal(err)
	}
	code := string(lodash) + "\nfunction main(req, res) { res.send(module.exports.chunk([1, 2, 3], 2)) }"
	for b.Loop() {
		s := startBenched(b, "CODE_SYNC_TIMEOUT=1000")
		var first, later []time.Duration
		timed := func() time.Duration {
			time.Sleep(10 * time.Millisecond) // the next worker is ready
			began := time.Now()
			s.run(b, http.DefaultClient, path, "{}", answer)
			return time.Since(began)
		}
		for i := range 50 {
			put(b, s.url+path, fmt.Sprintf("%s // %d", code, i), `"maxInvocations":1`)
			first = append(first, timed())
		}
		for i := range 110 {
			if took := timed(); i >= 10 {
				later = append(later, took)
			}
		}
		benchmarks.add(b, compiled, quantiles(first), "")
		benchmarks.add(b, before, quantiles(later), compiled)
	}
}

// BenchmarkFirstCall measures the first call ever of a function that has just been deployed, by itself and while others are called.
func BenchmarkFirstCall(b *testing.B) {
	const busyFunctions = 20
	for _, row := range []struct {
		name    string
		callers int           // of the others
		pause   time.Duration // of each caller between two calls
	}{
		{"first call of a new function", 0, 0},
		{"first call while 20 others are called 1,000 times a second", 20, 20 * time.Millisecond},
		{"first call while 20 others are called without a pause", 20, 0},
	} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				s := startBenched(b, "POOL_SIZE=64")
				for i := range busyFunctions {
					put(b, s.url+fmt.Sprintf("/functions/busy/f%d", i), helloCode, "")
				}
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: busyFunctions}}
				stop := inBackground(row.callers, func(i int) {
					s.run(b, client, fmt.Sprintf("/functions/busy/f%d", i), helloBody, helloAnswer)
					time.Sleep(row.pause)
				})
				var took []time.Duration
				for i := range 300 {
					path := fmt.Sprintf("/functions/bench/f%d", i)
					put(b, s.url+path, helloCode, "")
					time.Sleep(5 * time.Millisecond) // who deploys does not call within the same millisecond
					began := time.Now()
					s.run(b, client, path, helloBody, helloAnswer)
					took = append(took, time.Since(began))
				}
				stop()
				benchmarks.add(b, row.name, quantiles(took), "")
			}
		})
	}
}

// inBackground has callers do call over and over, each with its own number, until stop is called.
func inBackground(callers int, call func(caller int)) (stop func()) {
	var over atomic.Bool
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for !over.Load() {
				call(i)
			}
		})
	}
	return func() {
		over.Store(true)
		all.Wait()
	}
}
