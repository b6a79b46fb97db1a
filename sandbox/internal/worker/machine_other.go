//go:build !linux

package worker

// MachineMemory is not known here.
func MachineMemory() (total, left int64) { return 0, 0 }

// MachineTasks is not known here.
func MachineTasks() int64 { return 0 }
