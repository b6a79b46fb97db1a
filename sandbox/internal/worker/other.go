//go:build !linux

package worker

import (
	"context"
	"os"
	"time"
)

// Starter starts no workers here.
type Starter struct{}

// New returns ErrUnsupported: isolation needs Linux.
func New(Config) (*Starter, error) { return nil, ErrUnsupported }

// Start returns ErrUnsupported.
func (*Starter) Start(context.Context) (*Process, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Starter) Close() error { return nil }

// Describe says that nothing stands around a worker.
func (*Starter) Describe() string { return "none" }

// Memory is not known here.
func (*Starter) Memory() (MemoryUsage, bool) { return MemoryUsage{}, false }

// MemoryLeft is not known here.
func (*Starter) MemoryLeft() (int64, bool) { return 0, false }

// Settled says that there is nothing to wait for.
func (*Starter) Settled() bool { return true }

// Restarts is never so.
func (*Starter) Restarts() bool { return false }

// Report says nothing.
func (*Starter) Report() Report { return Report{} }

// Method says that there is none.
func (*Starter) Method() StartMethod { return StartMethod{} }

func unread(*os.File) int { return -1 }

func cpuTime(int) time.Duration { return 0 }

func processArguments(int) []string { return nil }

func asleep(int) bool { return false }

func ending(int) bool { return false }

func (*exchange) awaitAnswer() bool { return false }

// Probe finds nothing: isolation needs Linux.
func Probe(context.Context, Config) []Support {
	return []Support{{Name: "Linux", Detail: "isolation needs Linux"}}
}
