//go:build !linux

package jail

// Main returns: there are no jails here.
func Main() {}
