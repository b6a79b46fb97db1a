package function

import (
	"cmp"
	"strconv"
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
	newBound("timeout", "FUNCTION_TIMEOUT_MAX", MinTimeout, duration.Text,
		func(b *Bounds) time.Duration { return b.Timeout }, func(o *Options) **time.Duration { return &o.Timeout }),
	newBound("syncTimeout", "FUNCTION_SYNC_TIMEOUT_MAX", MinTimeout, duration.Text,
		func(b *Bounds) time.Duration { return b.SyncTimeout }, func(o *Options) **time.Duration { return &o.SyncTimeout }),
	limit(newBound("memory", "WORKER_MEMORY_LIMIT", MinMemory, bytesize.Text,
		func(b *Bounds) int64 { return b.Memory }, func(o *Options) **int64 { return &o.Memory }),
		func(o *Options) bool { return o.Memory != nil && *o.Memory > 0 }, func(o *Options) { o.Memory = nil }),
	limit(newBound("cpu", "FUNCTION_CPU_MAX", MinCPU,
		func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) },
		func(b *Bounds) float64 { return b.CPU }, func(o *Options) **float64 { return &o.CPU }),
		func(o *Options) bool { return o.CPU != nil && *o.CPU > 0 }, func(o *Options) { o.CPU = nil }),
}

func newBound[T cmp.Ordered](
	option, variable string,
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
			case *asked < least:
				return " must be at least " + text(least)
			case most(b) > none && *asked > most(b):
				return " must be at most " + text(most(b)) + ", which is " + variable + " of this server"
			}
			return ""
		},
		lower: func(b *Bounds, o Options) Options {
			within := max(**at(&o), least)
			if most(b) > none {
				within = min(within, most(b))
			}
			*at(&o) = &within
			return o
		},
	}
}

// limit is of for a limit of workers, if they have any.
func limit(of bound, set func(*Options) bool, unset func(*Options)) bound {
	fault, lower := of.fault, of.lower
	of.fault = func(b *Bounds, o *Options) string {
		if b.NoLimits && set(o) {
			return " has no effect on this server: with ISOLATION=none workers have no limits"
		}
		return fault(b, o)
	}
	of.lower = func(b *Bounds, o Options) Options {
		if b.NoLimits {
			unset(&o)
			return o
		}
		return lower(b, o)
	}
	return of
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
