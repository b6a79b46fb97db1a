// Package program runs a program once for each input, in a process of its own behind the layers that workers have.
package program

import (
	"errors"
	"io"
	"time"
)

// ErrUnsupported means that this system gives no isolation.
var ErrUnsupported = errors.New("program: needs Linux")

// Config is what all runs of a program have in common. Package sandbox documents its fields.
type Config struct {
	Name, Path   string
	Args         []string
	Groups, Jail bool
	Limits       Limits
}

// Limits bound one run.
type Limits struct {
	Memory        int64
	CPU           float64
	PIDs          int64
	Tmp           int64
	TmpFiles      int
	CPUTime, Time time.Duration
	Output        int
}

// End is how a run has ended.
type End string

// The ends of runs.
const (
	Done         End = "done"          // with exit code 0
	Exit         End = "exit"          // with another exit code
	Signal       End = "signal"        // by a signal that nobody here sent
	Memory       End = "memory"        // at its limit on memory
	ServerMemory End = "server_memory" // below its limit: the machine had no more
	Time         End = "time"          // at one of its limits on time
	Output       End = "output"        // at its limit on output
)

// Result is what a run has left.
type Result struct {
	End      End
	ExitCode int
	Stdout   []byte
	// Stderr is the beginning of what it wrote there.
	Stderr string
	// CPUTime is what it took of processors.
	CPUTime time.Duration
}

// maxStderr is how much of stderr is kept, in bytes.
const maxStderr = 16 << 10

// limited keeps the first bytes that are written to it, and calls full once there are more.
type limited struct {
	kept []byte
	most int
	full func()
}

var _ io.Writer = (*limited)(nil)

// Write takes all, so that the writer is never stopped by what is dropped.
func (l *limited) Write(p []byte) (int, error) {
	room := l.most - len(l.kept)
	if len(p) > room && l.full != nil {
		l.full()
	}
	l.kept = append(l.kept, p[:min(len(p), room)]...)
	return len(p), nil
}
