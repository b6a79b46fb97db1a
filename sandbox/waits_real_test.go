//go:build linux

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// growing lets a pool have so many workers, of which four may compute.
func growing(size int) func(*sandbox.Config) {
	return func(c *sandbox.Config) { c.Size, c.Active, c.Reserve, c.Memory = size, 4, 1, 4<<30 }
}

// awaitStats returns when the state of the pool is as it should be.
func awaitStats(t *testing.T, pool *sandbox.Pool, what string, is func(s sandbox.PoolStats) bool) {
	t.Helper()
	for began := time.Now(); !is(pool.Snapshot().Pool); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("%s: %+v", what, pool.Snapshot().Pool)
		}
	}
}

func TestCallsThatWaitOutsideHaveMoreWorkersThanThoseThatCompute(t *testing.T) {
	pool := newRealPool(t, growing(32))
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	run := func(n int, name, code string) {
		for i := range n {
			all.Go(func() { _, _ = pool.Invoke(ctx, invocation(fmt.Sprint(name, i), code)) })
		}
	}
	run(16, "wait", `function main(req, res) { setTimeout(() => res.send(1), 3600000) }`)
	awaitStats(t, pool, "calls that wait", func(s sandbox.PoolStats) bool { return s.Busy == 16 })
	run(6, "async", `async function main() { for (;;) await null }`)
	run(6, "turns", `function main(req, res) { (function again() { setImmediate(again) })() }`)
	awaitStats(t, pool, "calls that compute are served", func(s sandbox.PoolStats) bool { return s.Busy > 16 })
	time.Sleep(300 * time.Millisecond) // in which more would be served, if they were taken to wait
	if s := pool.Snapshot().Pool; s.Busy > 16+4 {
		t.Errorf("four may compute: %+v", s)
	}
	cancel()
	all.Wait()
}

// What all workers take together has a bound of its own, and the kernel ends one that takes the rest. That is told from
// the end at its own limit.
func TestAllWorkersTogetherKeepToTheirMemory(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) {
		c.Size, c.Active, c.Prewarmed, c.Memory, c.Limits.Memory = 6, 5, 0, 160<<20, 96<<20
	})
	const hog = `function main(req, res) { const hog = Buffer.alloc(60 << 20, 1); setTimeout(() => res.send(hog.length), 3600000) }`
	ctx, cancel := context.WithCancel(t.Context())
	outcomes := make(chan error, 5)
	for i := range cap(outcomes) {
		go func() {
			_, err := pool.Invoke(ctx, invocation(fmt.Sprint("hog", i), hog))
			outcomes <- err
		}()
	}
	first := <-outcomes
	if death, ok := errors.AsType[*sandbox.DeathError](first); !ok || death.Reason != sandbox.ReasonServerMemory {
		t.Errorf("of five calls that take 60 MB each, 160 being allowed to all, one ended with %v", first)
	}
	cancel()
	for range cap(outcomes) - 1 {
		<-outcomes
	}
	const beyond = `function main() { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)) }`
	_, err := pool.Invoke(t.Context(), invocation("beyond", beyond)) // by itself
	if death, ok := errors.AsType[*sandbox.DeathError](err); !ok || death.Reason != sandbox.ReasonMemory {
		t.Errorf("a call that takes more than its own limit ended with %v", err)
	}
	if _, err := pool.Invoke(t.Context(), invocation("small", `function main(req, res) { res.send(1) }`)); err != nil {
		t.Errorf("a small call afterwards: %v", err)
	}
}
