package sandbox

// MemoryUsage is what workers use together, in bytes, as their control groups count it.
type MemoryUsage struct {
	// Total is all of it. Anonymous is the part that is not a cache of files.
	Total, Anonymous uint64
}

// memoryTeller is a starter that knows the memory of all workers of this process.
type memoryTeller interface{ memory() (MemoryUsage, bool) }

// Memory is what the workers of all pools use; false says that nothing counts it, as without control groups.
func (r *Runtimes) Memory() (MemoryUsage, bool) {
	starter, ok := r.First().starter.(memoryTeller)
	if !ok {
		return MemoryUsage{}, false
	}
	return starter.memory()
}
