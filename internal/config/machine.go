package config

import (
	"runtime"

	"github.com/backstage/functions/sandbox"
)

// machine is what the defaults depend on.
type machine struct {
	cpus int
	// memory is what the server and its workers may use, in bytes; 0 when it is not known.
	memory int64
	zone   localZone
}

// thisMachine respects the limits of a container. The runtime counts processors so by itself.
func thisMachine() machine {
	return machine{cpus: runtime.GOMAXPROCS(0), memory: usableMemory(), zone: findZone(localTime, sandbox.ZoneData)}
}

// memoryShare is the part of the memory that workers may fill when the pool's size is not given.
const memoryShare = 0.75

// poolSize is the default of POOL_SIZE: 8 workers for each processor, as far as the memory allows, and at least 2.
func (m machine) poolSize(cpus int, perWorker int64) int {
	size := 8 * cpus
	if m.memory > 0 && perWorker > 0 {
		size = min(size, int(memoryShare*float64(m.memory)/float64(perWorker)))
	}
	return min(max(size, 2), maxPoolSize)
}

// share is the default of what callers may make the server hold: a 32nd of the memory, at least so many bytes and at
// most 128 MiB or those, and no more than there is.
func (m machine) share(least int64) int64 {
	size := max(min(m.memory/32, 128<<20), least)
	if m.memory > 0 {
		size = min(size, m.memory)
	}
	return size
}
