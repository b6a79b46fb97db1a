//go:build !linux

package sandbox

import (
	"context"
	"time"
)

func newStarter(Config) (starter, error) { return nil, ErrUnsupported }

func cpuTime(int) time.Duration { return 0 }

func commandOf(int) string { return "" }

func asleep(int) bool { return false }

func ending(int) bool { return false }

func (*process) awaitAnswer() bool { return false }

// Probe finds nothing: isolation needs Linux.
func Probe(context.Context, Config) []Support {
	return []Support{{Name: "Linux", Detail: "isolation needs Linux"}}
}
