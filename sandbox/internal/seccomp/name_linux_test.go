package seccomp

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestSystemCallsHaveTheirNames(t *testing.T) {
	for number, want := range map[int]string{
		unix.SYS_PRCTL: "prctl", unix.SYS_OPENAT: "openat", unix.SYS_USERFAULTFD: "userfaultfd",
		-1: "", 1 << 30: "",
	} {
		if got := NameOf(number); got != want {
			t.Errorf("%d is %q, want %q", number, got, want)
		}
	}
}
