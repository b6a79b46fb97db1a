//go:build !linux

package container

// Main returns at once: there are no containers here.
func Main(func() bool, func(error)) {}
