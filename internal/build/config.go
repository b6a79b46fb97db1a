package build

import (
	"runtime"
	"time"

	"github.com/backstage/functions/sandbox"
)

// Config configures a Pool. Start from DefaultConfig.
type Config struct {
	// Isolation is the tier that each build gets, as workers do.
	Isolation sandbox.Isolation
	// Concurrency is how many builds are under way at once. Default: as many as there are processors.
	Concurrency int
	// Queue is how many wait beyond them, and QueueTimeout how long; ErrBusy is what others get. Default 64 and 30 s.
	Queue        int
	QueueTimeout time.Duration
	// Memory is what one build may use, its files included, in bytes. Default 512 MiB.
	Memory int64
	// Timeout is the processor time that one build may take, in whole seconds; by the wall clock it may take three times
	// as much, so that a busy machine does not make it fail. Default 10 s.
	Timeout time.Duration
	// MaxCode bounds the result, in bytes. Default 8 MiB.
	MaxCode int
	// Observer is told of each build when it has ended; nil for nobody. It returns at once.
	Observer func(result Result, took time.Duration)

	program string // that has package bundle, for tests; empty for this very program
}

// DefaultConfig returns a Config with every field at its default.
func DefaultConfig() Config {
	return Config{
		Isolation: sandbox.IsolationStrict, Concurrency: runtime.GOMAXPROCS(0), Queue: 64, QueueTimeout: 30 * time.Second,
		Memory: 512 << 20, Timeout: 10 * time.Second, MaxCode: 8 << 20,
	}
}

// Result names how a build has ended, for metrics.
type Result string

// The results of builds.
const (
	ResultDone     Result = "done"
	ResultFault    Result = "fault"     // of the author's files
	ResultTooLarge Result = "too_large" // input, result or memory
	ResultTimeout  Result = "timeout"
	ResultBusy     Result = "busy"
	ResultCanceled Result = "canceled" // the caller has gone
	ResultFailed   Result = "failed"   // the server's fault
)

// Results are all of them.
var Results = []Result{
	ResultDone, ResultFault, ResultTooLarge, ResultTimeout, ResultBusy, ResultCanceled, ResultFailed,
}
