package seccomp

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// What authors and operators read of a system call has its name, as the manual has it, and its number.
func TestSystemCallsAreNamed(t *testing.T) {
	for number, want := range map[int]string{
		unix.SYS_PRCTL:       fmt.Sprintf("system call prctl (%d)", unix.SYS_PRCTL),
		unix.SYS_OPENAT:      fmt.Sprintf("system call openat (%d)", unix.SYS_OPENAT),
		unix.SYS_USERFAULTFD: fmt.Sprintf("system call userfaultfd (%d)", unix.SYS_USERFAULTFD),
		-1:                   "system call -1",
		1 << 30:              "system call 1073741824",
	} {
		if got := Describe(number); got != want {
			t.Errorf("%d is told as %q, want %q", number, got, want)
		}
	}
}
