package sandbox

import (
	"fmt"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// Warmup is a request of the author of a function, which workers that are put back serve before their snapshot, so that
// calls find what it has compiled and kept. It reaches nothing outside, what it prints and answers goes to nobody, and
// where it cannot be had it is left out. Made by NewWarmup, it is never changed.
type Warmup struct {
	request Request
	times   int
}

// MostWarmups is how often a Warmup may be made in a worker.
const MostWarmups = 1000

// NewWarmup is one that is made so many times in each worker. Its error is ErrInvalid.
func NewWarmup(request Request, times int) (*Warmup, error) {
	probe := Invocation{Key: "-", Request: request}
	if err := probe.Validate(); err != nil {
		return nil, err
	}
	if times < 1 || times > MostWarmups {
		return nil, fmt.Errorf("%w: a warmup %d times", ErrInvalid, times)
	}
	return &Warmup{request, times}, nil
}

// before is what a worker that is put back serves before its snapshot.
func (inv *Invocation) before() []*wire.Invoke {
	if !inv.Rollback {
		return nil
	}
	var all []*wire.Invoke
	if inv.Once {
		frame := inv.frame()
		frame.Kind = wire.Prepare
		all = append(all, &frame)
	}
	if inv.Warmup != nil {
		like := Invocation{Env: inv.Env, Request: inv.Warmup.request}
		if inv.Once { // else the next call may have others
			like.Secrets = inv.Secrets
		}
		for range inv.Warmup.times {
			frame := like.frame()
			frame.Kind = wire.Warmup
			all = append(all, &frame)
		}
	}
	return all
}
