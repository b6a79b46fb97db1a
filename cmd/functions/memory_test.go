package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestTheMemoryLimitFitsTheMachineAndWhatIsInUse(t *testing.T) {
	const mega, giga = 1 << 20, 1 << 30
	for _, row := range []struct{ memory, live, want int64 }{
		{16 * giga, 0, 192 * mega},
		{16 * giga, 100 * mega, 192 * mega},
		{16 * giga, 1000 * mega, 1532 * mega}, // half as much again, and some room
		{16 * giga, 8 * giga, 4 * giga},       // the workers' part stays theirs
		{512 * mega, 0, 128 * mega},
		{512 * mega, 500 * mega, 128 * mega},
		{100 * mega, 0, 64 * mega},
		{0, 0, 192 * mega},
		{0, 1000 * mega, 1532 * mega},
	} {
		if got := memoryLimit(row.memory, row.live); got != row.want {
			t.Errorf("%d MB of memory, %d in use: a limit of %d MB, want %d", row.memory/mega, row.live/mega, got/mega, row.want/mega)
		}
	}
}

func TestALimitOfTheEnvironmentStays(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	t.Setenv("GOMEMLIMIT", "1GiB")
	if text := limitMemory(t.Context(), 1<<34); debug.SetMemoryLimit(-1) != math.MaxInt64 {
		t.Errorf("the limit was set to %d: %s", debug.SetMemoryLimit(-1), text)
	}
	t.Setenv("GOMEMLIMIT", "")
	limitMemory(t.Context(), 1<<34)
	if got := debug.SetMemoryLimit(-1); got != memoryUsual {
		t.Errorf("the limit is %d", got)
	}
}
