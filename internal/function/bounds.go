package function

import (
	"time"

	"github.com/backstage/functions/internal/duration"
)

// Bounds are what a server lets functions ask for. The zero value bounds nothing.
type Bounds struct {
	// Timeout and SyncTimeout are the longest that may be asked for; 0 for no bound.
	Timeout, SyncTimeout time.Duration
}

// MinTimeout is the shortest time that a function may ask for.
const MinTimeout = time.Millisecond

// bound is one of Bounds.
type bound struct {
	option string
	// fault is the end of a sentence about the option of o; empty when that is within the bound or not set.
	fault func(b *Bounds, o *Options) string
	// lower returns o with the option brought within the bounds.
	lower func(b *Bounds, o Options) Options
}

var allBounds = []bound{
	timeBound("timeout", "FUNCTION_TIMEOUT_MAX",
		func(b *Bounds) time.Duration { return b.Timeout }, func(o *Options) **time.Duration { return &o.Timeout }),
	timeBound("syncTimeout", "FUNCTION_SYNC_TIMEOUT_MAX",
		func(b *Bounds) time.Duration { return b.SyncTimeout }, func(o *Options) **time.Duration { return &o.SyncTimeout }),
}

func timeBound(
	option, variable string,
	most func(*Bounds) time.Duration,
	at func(*Options) **time.Duration,
) bound {
	return bound{
		option: option,
		fault: func(b *Bounds, o *Options) string {
			switch asked := *at(o); {
			case asked == nil || *asked == 0:
				return ""
			case *asked < MinTimeout:
				return " must be at least " + duration.Text(MinTimeout)
			case most(b) > 0 && *asked > most(b):
				return " must be at most " + duration.Text(most(b)) + ", which is " + variable + " of this server"
			}
			return ""
		},
		lower: func(b *Bounds, o Options) Options {
			within := max(**at(&o), MinTimeout)
			if most(b) > 0 {
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
