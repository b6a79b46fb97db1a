package function

import (
	"cmp"
	"time"

	"github.com/backstage/functions/internal/bytesize"
	"github.com/backstage/functions/internal/duration"
)

// Bounds are what a server lets functions ask for. The zero value bounds nothing from above.
type Bounds struct {
	// Timeout and SyncTimeout are the longest that may be asked for; 0 for no bound.
	Timeout, SyncTimeout time.Duration
	// Memory, in bytes, and CPU, in processors, are the same for limits of workers.
	Memory int64
	CPU    float64
	// NoLimits says that workers have no such limits at all.
	NoLimits bool
}

// The least that a function may ask for.
const (
	MinTimeout = time.Millisecond
	MinMemory  = 32 << 20
	MinCPU     = 0.01
)

// bound is one of Bounds.
type bound struct {
	option string
	// fault is the end of a sentence about the option of o; empty when that is within the bound or not set.
	fault func(b *Bounds, o *Options) string
	// lower returns o with the option brought within the bounds.
	lower func(b *Bounds, o Options) Options
}

var allBounds = []bound{
	newBound("timeout", "FUNCTION_TIMEOUT_MAX", ofCall, MinTimeout, duration.Text,
		func(b *Bounds) time.Duration { return b.Timeout }, func(o *Options) **time.Duration { return &o.Timeout }),
	newBound("syncTimeout", "FUNCTION_SYNC_TIMEOUT_MAX", ofCall, MinTimeout, duration.Text,
		func(b *Bounds) time.Duration { return b.SyncTimeout }, func(o *Options) **time.Duration { return &o.SyncTimeout }),
	newBound("memory", "FUNCTION_MEMORY_MAX", ofWorker, MinMemory, bytesize.Text,
		func(b *Bounds) int64 { return b.Memory }, func(o *Options) **int64 { return &o.Memory }),
	newBound("cpu", "FUNCTION_CPU_MAX", ofWorker, MinCPU, decimal,
		func(b *Bounds) float64 { return b.CPU }, func(o *Options) **float64 { return &o.CPU }),
}

// subject is what a bound limits. Workers may have no limits at all, see Bounds.NoLimits.
type subject int

const (
	ofCall subject = iota
	ofWorker
)

func newBound[T cmp.Ordered](
	option, variable string,
	of subject,
	least T,
	text func(T) string,
	most func(*Bounds) T,
	at func(*Options) **T,
) bound {
	var none T
	return bound{
		option: option,
		fault: func(b *Bounds, o *Options) string {
			switch asked := *at(o); {
			case asked == nil || *asked == none:
				return ""
			case of == ofWorker && b.NoLimits && *asked > none:
				return " has no effect on this server: with ISOLATION=none workers have no limits"
			case *asked < least:
				return " must be at least " + text(least)
			case most(b) > none && *asked > most(b):
				return " must be at most " + text(most(b)) + ", which is " + variable + " of this server"
			}
			return ""
		},
		lower: func(b *Bounds, o Options) Options {
			if of == ofWorker && b.NoLimits {
				*at(&o) = nil
				return o
			}
			within := max(**at(&o), least)
			if most(b) > none {
				within = min(within, most(b))
			}
			*at(&o) = &within
			return o
		},
	}
}

// Faults are sentences about options of o that are out of bounds. Each begins with the name of the option.
func (b *Bounds) Faults(o *Options) (faults []string) {
	for i := range allBounds {
		if fault := allBounds[i].fault(b, o); fault != "" {
			faults = append(faults, allBounds[i].option+fault)
		}
	}
	return faults
}

// Within returns o with what is out of bounds brought within them, as it may be after a change of the server's
// variables.
func (b *Bounds) Within(o Options) Options {
	for i := range allBounds {
		if allBounds[i].fault(b, &o) != "" {
			o = allBounds[i].lower(b, o)
		}
	}
	return o
}
