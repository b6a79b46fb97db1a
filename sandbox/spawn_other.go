//go:build !linux

package sandbox

import "time"

func newStarter(Config) (starter, error) { return nil, ErrUnsupported }

func cpuTime(int) time.Duration { return 0 }
