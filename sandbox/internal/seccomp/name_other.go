//go:build !linux

package seccomp

import "fmt"

// Describe knows no names here.
func Describe(number int) string { return fmt.Sprintf("system call %d", number) }
