package config

import (
	"runtime"

	"github.com/backstage/functions/sandbox/hostinfo"
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
	memory, _ := hostinfo.Memory()
	return machine{cpus: runtime.GOMAXPROCS(0), memory: memory, zone: findZone(localTime, hostinfo.ZoneData)}
}

const (
	// memoryShare is the part of the memory that workers may fill when the pool's size is not given.
	memoryShare = 0.75
	// waitingMemory is what is planned for a worker whose call waits, in bytes: twice of what such a worker takes, the kernel's part included.
	waitingMemory = 4 << 20
)

// poolMemory is what workers may take together, in bytes; 0 when the memory is not known.
func (m machine) poolMemory() int64 { return int64(memoryShare * float64(m.memory)) }

// poolActive is how many workers may compute: 8 for each processor, as far as the memory holds all that they may take, and at least 2.
func (m machine) poolActive(cpus int, perWorker int64) int {
	active := 8 * cpus
	if m.memory > 0 && perWorker > 0 {
		active = min(active, int(m.poolMemory()/perWorker))
	}
	return min(max(active, 2), maxPoolSize)
}

// poolSize is the default of POOL_SIZE: as many as the memory holds while they wait, and at least those that may compute.
func (m machine) poolSize(cpus int, perWorker int64) int {
	return min(max(m.poolActive(cpus, perWorker), int(m.poolMemory()/waitingMemory)), maxPoolSize)
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
