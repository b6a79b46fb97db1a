package server

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The memory limit of Go's runtime (GOMEMLIMIT) says from when on garbage is collected more often than GOGC would.
// Usually it is memoryUsual. If more is in use, the limit leaves room above that, or the process would do nothing but
// collect; but it is never more than the server's part of the machine or container: three quarters are for workers, see
// POOL_SIZE.
const (
	memoryUsual = 192 << 20
	memoryRoom  = 32 << 20
	serverPart  = 4
	// memoryLeast is the limit if memory is scarce.
	memoryLeast = 64 << 20
	// memoryStep is the smallest change of the limit that is worth stopping the world.
	memoryStep = 16 << 20
)

// memoryLimit is the limit while live bytes of the heap are in use. Memory is that of the machine or container; 0 if
// unknown.
func memoryLimit(memory, live int64) int64 {
	most := int64(math.MaxInt64)
	if memory > 0 {
		most = max(memory/serverPart, memoryLeast)
	}
	return min(max(memoryUsual, live+live/2+memoryRoom), most)
}

// limitMemory sets the limit and returns a sentence about it; follow adapts it until its context ends. A GOMEMLIMIT in
// the environment is kept.
func limitMemory(memory int64) (said string, follow func(ctx context.Context)) {
	if set := os.Getenv("GOMEMLIMIT"); set != "" {
		return "Memory: GOMEMLIMIT=" + set + " holds for the server", func(context.Context) {}
	}
	limit := memoryLimit(memory, 0)
	debug.SetMemoryLimit(limit)
	said = fmt.Sprintf("Memory: the server collects its garbage beyond %d MB (set GOMEMLIMIT for another limit)",
		limit>>20)
	return said, func(ctx context.Context) { followMemory(ctx, memory, limit) }
}

func followMemory(ctx context.Context, memory, limit int64) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		next := memoryLimit(memory, liveHeap())
		if next < limit-memoryStep || next > limit+memoryStep {
			debug.SetMemoryLimit(next)
			limit = next
		}
	}
}

// liveHeap is what was in use at the last collection, in bytes.
func liveHeap() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(min(sample[0].Value.Uint64(), math.MaxInt64))
}
