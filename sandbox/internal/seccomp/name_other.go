//go:build !linux

package seccomp

// NameOf knows none here.
func NameOf(int) string { return "" }
