package worker

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/backstage/functions/sandbox/internal/rollback"
	"github.com/backstage/functions/sandbox/internal/seccomp"
)

// numberedCall is how details of rollback.Call begin that come from a system call.
var numberedCall = regexp.MustCompile(`^system call (\d+)`)

// detailOf is the detail of err with a name for its system call, for people: "system call prctl (157)".
func detailOf(err *rollback.RetireError) string {
	if err.Cause != rollback.Call {
		return err.Detail
	}
	return numberedCall.ReplaceAllStringFunc(err.Detail, func(begin string) string {
		digits := numberedCall.FindStringSubmatch(begin)[1]
		number, err := strconv.Atoi(digits)
		if name := seccomp.NameOf(number); err == nil && name != "" {
			return fmt.Sprintf("system call %s (%s)", name, digits)
		}
		return begin
	})
}
