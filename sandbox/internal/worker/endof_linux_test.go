package worker

import (
	"syscall"
	"testing"
)

func TestEndOfAForkServerIsToldInWords(t *testing.T) {
	for status, want := range map[syscall.WaitStatus]string{
		0: "with code 0", 70 << 8: "with code 70", 9: "by signal SIGKILL", 11 | 0x80: "by signal SIGSEGV",
	} {
		if got := endOf(status); got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}
