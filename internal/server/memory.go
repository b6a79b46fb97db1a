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

// The memory limit of Go's runtime (GOMEMLIMIT) says from when on garbage is collected more often than its share of what is in use would
// have it. Usually that is memoryUsual. Where more is in use, the limit leaves room above it, or nothing but collecting would be done; but
// never more than the server's part of the machine or container: three quarters are the workers', see POOL_SIZE.
const (
	memoryUsual = 192 << 20
	memoryRoom  = 32 << 20
	serverPart  = 4
	// memoryLeast is the limit where memory is scarce.
	memoryLeast = 64 << 20
	// memoryStep is the change of the limit that is worth a stop of the world.
	memoryStep = 16 << 20
)

// memoryLimit is the limit while live bytes of the heap are in use. Memory is that of the machine or container; 0 when it is not known.
func memoryLimit(memory, live int64) int64 {
	most := int64(math.MaxInt64)
	if memory > 0 {
		most = max(memory/serverPart, memoryLeast)
	}
	return min(max(memoryUsual, live+live/2+memoryRoom), most)
}

// limitMemory sets the limit and says in a sentence what it is; follow keeps it fitting until its context ends. A GOMEMLIMIT in the
// environment stays.
func limitMemory(memory int64) (said string, follow func(ctx context.Context)) {
	if set := os.Getenv("GOMEMLIMIT"); set != "" {
		return "Memory: GOMEMLIMIT=" + set + " holds for the server", func(context.Context) {}
	}
	limit := memoryLimit(memory, 0)
	debug.SetMemoryLimit(limit)
	said = fmt.Sprintf("Memory: the server collects its garbage beyond %d MB (set GOMEMLIMIT for another limit)", limit>>20)
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
	return int64(min(sample[0].Value.Uint64(), math.MaxInt64)) //nolint:gosec // bounded
}
