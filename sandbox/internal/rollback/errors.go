package rollback

import (
	"errors"
	"fmt"
)

// ErrUnsupported means that workers cannot be rolled back here. Errors that wrap it say why.
var ErrUnsupported = errors.New("rollback: not supported here")

// Cause is why a worker cannot be put back to its snapshot.
type Cause string

// The causes.
const (
	Call     Cause = "system_call" // it made a system call, or took a signal, whose effect stays
	Thread   Cause = "thread"      // it has more threads, or fewer
	Fixed    Cause = "fixed"       // code, constants or mappings of the kernel were changed
	Mapping  Cause = "mapping"     // its mappings cannot be restored, or did not become those of the snapshot
	Pages    Cause = "pages"       // pages are written that cannot have been, or too many of them
	Files    Cause = "files"       // its descriptors did not become those of the snapshot
	Kernel   Cause = "kernel"      // a system call of the host failed
	NoPark   Cause = "no_park"     // it did not come back to the stub in time
	Unproven Cause = "unproven"    // a rolled-back page was not as in the snapshot: found by Compare
)

// Causes are all of them.
func Causes() []Cause {
	return []Cause{Call, Thread, Fixed, Mapping, Pages, Files, Kernel, NoPark, Unproven}
}

// RetireError says that a worker cannot be put back to its snapshot. It must not serve another call.
type RetireError struct {
	Cause  Cause
	Detail string
}

func (e *RetireError) Error() string { return fmt.Sprintf("rollback: %s: %s", e.Cause, e.Detail) }

// retire is a *RetireError.
func retire(cause Cause, format string, args ...any) error {
	return &RetireError{cause, fmt.Sprintf(format, args...)}
}
