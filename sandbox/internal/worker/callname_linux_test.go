package worker

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/rollback"
)

// What authors and operators read of a system call has its name, as the manual has it, and its number.
func TestSystemCallsAreNamed(t *testing.T) {
	prctl := fmt.Sprintf("system call prctl (%d)", unix.SYS_PRCTL)
	numbered := fmt.Sprintf("system call %d", unix.SYS_PRCTL)
	for _, row := range []struct {
		cause        rollback.Cause
		detail, want string
	}{
		{rollback.Call, numbered, prctl},
		{rollback.Call, numbered + " while it was parked", prctl + " while it was parked"},
		{rollback.Call, "system call 999999", "system call 999999"},
		{rollback.Call, "system call 99999999999999999999", "system call 99999999999999999999"},
		{rollback.Call, "signals are 0, not 1: pending", "signals are 0, not 1: pending"},
		{rollback.Thread, "5 threads, not 1", "5 threads, not 1"},
	} {
		if got := detailOf(&rollback.RetireError{Cause: row.cause, Detail: row.detail}); got != row.want {
			t.Errorf("%s: %q is told as %q, want %q", row.cause, row.detail, got, row.want)
		}
	}
}
