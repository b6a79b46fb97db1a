//go:build !linux || !amd64

package rollback

import "fmt"

// Probe returns ErrUnsupported: the stub is written for Linux on x86-64.
func Probe() error { return fmt.Errorf("%w: it needs Linux on x86-64", ErrUnsupported) }
