//go:build !linux

package config

// usableMemory is not known here.
func usableMemory() int64 { return 0 }
