package config

import (
	"runtime"

	"github.com/backstage/functions/sandbox/hostinfo"
)

// machine is what the defaults depend on.
type machine struct {
	cpus int
	// memory is what the server and its workers may use, in bytes; 0 if unknown.
	memory int64
	zone   localZone
}

// thisMachine respects the limits of a container. Go's runtime counts processors that way itself.
func thisMachine() machine {
	memory, _ := hostinfo.Memory()
	return machine{cpus: runtime.GOMAXPROCS(0), memory: memory, zone: findZone(localTime)}
}

const (
	// memoryShare is the part of the memory that workers may fill if the pool's size is not given.
	memoryShare = 0.75
	// waitingMemory is the planned memory of a worker whose call waits, in bytes: twice what such a worker takes,
	// including the kernel's part.
	waitingMemory = 4 << 20
	// spareMemory is of how much memory one spare worker is started, in bytes. It takes some 2 MB, half of them the
	// kernel's.
	spareMemory = 100 << 20
)

// poolMemory is the most that workers may take together, in bytes; 0 if the memory is unknown.
func (m machine) poolMemory() int64 { return int64(memoryShare * float64(m.memory)) }

// poolActive is the default of POOL_ACTIVE: 8 for each processor, as far as the memory holds their limits, and at least
// 2.
func (m machine) poolActive(cpus int, perWorker int64) int {
	active := 8 * cpus
	if m.memory > 0 && perWorker > 0 {
		active = min(active, int(m.poolMemory()/perWorker))
	}
	return min(max(active, 2), maxPoolSize)
}

// poolSize is the default of POOL_SIZE: as many workers as the memory holds while they wait, and at least POOL_ACTIVE.
func (m machine) poolSize(cpus int, perWorker int64) int {
	return min(max(m.poolActive(cpus, perWorker), int(m.poolMemory()/waitingMemory)), maxPoolSize)
}

// spare is the default of POOL_SPARE, as far as there may be as many: 2 % of the memory while they are ready.
func (m machine) spare() int { return int(min(m.memory/spareMemory, maxPoolSize)) }

// share is the default limit of memory that callers can make the server use: a 32nd of the memory, at least that many
// bytes, at most 128 MiB or that many, and never more than there is.
func (m machine) share(least int64) int64 {
	size := max(min(m.memory/32, 128<<20), least)
	if m.memory > 0 {
		size = min(size, m.memory)
	}
	return size
}
