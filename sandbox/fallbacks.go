package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/sandbox/rawjson"
)

// A snapshot takes longer than a fork. It is worth it when it serves several calls. So functions whose workers end with
// each of their calls, and those of which no snapshot can be taken, get a worker for each call, and are tried again
// after a while: twice as long each time.

// Bounds on what is learnt of functions.
const (
	mostEnded     = 3 // workers that end in a row, each with a call, until calls get workers of their own
	firstFallback = time.Minute
	lastFallback  = time.Hour
	mostFallbacks = 10_000 // functions; those beyond are tried with each call: see fallbackroom.go
)

// RollbackFallback says that calls of a function get workers of their own although they ask for one that is put back.
type RollbackFallback struct {
	// Filename is that of its code, which names it.
	Filename string `json:"function"`
	// Reason says why, as far as that is known: it may hold text of the function's. Empty says that it is over.
	Reason string `json:"reason"`
	// Until is when it is tried again.
	Until time.Time `json:"until"`
	// WarmupOnly says that workers are put back, and that the warmup is left out.
	WarmupOnly bool `json:"warmupOnly,omitempty"`
}

// MarshalJSON writes Until in UTC with milliseconds.
func (f RollbackFallback) MarshalJSON() ([]byte, error) {
	type plain RollbackFallback
	return json.Marshal(struct {
		plain

		Until string `json:"until"`
	}{plain(f), f.Until.UTC().Format(rawjson.Timestamp)})
}

// Replaced is why a call gets a worker of its own and none that is put back.
type Replaced string

// The reasons.
const (
	// ReplacedUnsupported is a host on which workers cannot be put back, or on which that function's cannot.
	ReplacedUnsupported Replaced = "unsupported"
	// ReplacedStarting is a function whose workers' fork server starts, as it does for the first call that needs it.
	ReplacedStarting Replaced = "starting"
	// ReplacedEnds is a function whose workers end with each of their calls.
	ReplacedEnds Replaced = "ends"
	// ReplacedUnprepared is one whose top-level code leaves something that no snapshot may have.
	ReplacedUnprepared Replaced = "unprepared"
)

// AllReplaced are all of them.
func AllReplaced() []Replaced {
	return []Replaced{ReplacedUnsupported, ReplacedStarting, ReplacedEnds, ReplacedUnprepared}
}

// fallbacks knows the functions of a Pool that are served otherwise than they ask for. It is safe for concurrent use.
type fallbacks struct {
	observer Observer
	known    atomic.Int64 // how many there are, for calls that need not look
	warmups  warmupFaults

	mu     sync.Mutex // guards the fields below
	of     map[string]*fallback
	groups map[string]*fallbackGroup // those that have any
	swept  time.Time                 // when all were looked through last
}

// fallback is what is known of a function, by its key.
type fallback struct {
	RollbackFallback

	group   string
	runtime string
	why     Replaced
	ended   int           // workers in a row that could not be put back
	pause   time.Duration // the last one; 0 before the first
}

func newFallbacks(observer Observer) *fallbacks {
	if observer == nil {
		observer = NopObserver{}
	}
	return &fallbacks{observer: observer, of: map[string]*fallback{}, groups: map[string]*fallbackGroup{}}
}

// reused is inv as its function is served at the moment.
func (f *fallbacks) reused(inv *Invocation) *Invocation {
	if f.known.Load() == 0 {
		return inv
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.of[inv.Key]
	switch {
	case known == nil || !time.Now().Before(known.Until):
		return inv
	case known.WarmupOnly:
		return inv.cold()
	}
	f.observer.RollbackReplaced(known.why)
	return inv.fresh()
}

// teller is told how attempts to put workers of inv's function back end.
func (f *fallbacks) teller(inv *Invocation) func(RollbackOutcome) {
	if f == nil { // there is no Pool
		return nil
	}
	named := inv.named()
	return func(outcome RollbackOutcome) {
		f.observer.WorkerRolledBack(named.Filename, outcome)
		switch {
		case outcome.Cause == "":
			f.putBack(named.Key)
		case !outcome.Killed:
			f.ended(named, string(outcome.Cause)+": "+outcome.Detail)
		}
	}
}

// named is what names inv's function, without what else inv holds.
func (inv *Invocation) named() *Invocation {
	return &Invocation{Key: inv.Key, Group: inv.Group, Filename: inv.Filename, Runtime: inv.Runtime}
}

// putBack notes that a worker was put back.
func (f *fallbacks) putBack(key string) {
	if f.known.Load() == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.of[key]
	if known == nil {
		return
	}
	if known.ended = 0; time.Now().Before(known.Until) { // a worker from before
		return
	}
	f.dropLocked(key)
	if known.pause > 0 {
		f.observer.RollbackChanged(RollbackFallback{Filename: known.Filename})
	}
}

// ended notes that a worker of inv's function could not be put back.
func (f *fallbacks) ended(inv *Invocation, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.ofLocked(inv)
	if known == nil || known.WarmupOnly {
		return
	}
	if known.ended++; known.ended < mostEnded && known.pause == 0 {
		return
	}
	f.replaceLocked(known, ReplacedEnds, reason)
}

// refuse notes that no snapshot can be taken of workers of inv's function.
func (f *fallbacks) refuse(inv *Invocation, why Replaced, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.ofLocked(inv); known != nil {
		known.WarmupOnly = false
		f.replaceLocked(known, why, reason)
	}
}

// dropWarmup notes that no snapshot can be taken of workers of inv's function after its warmup.
func (f *fallbacks) dropWarmup(inv *Invocation, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.ofLocked(inv); known != nil {
		known.WarmupOnly = true
		f.replaceLocked(known, ReplacedUnprepared, reason)
	}
}

// ofLocked is what is known of inv's function; nil when of too many others something is.
func (f *fallbacks) ofLocked(inv *Invocation) *fallback {
	known := f.of[inv.Key]
	if known == nil && f.roomLocked(inv.Group) {
		known = &fallback{
			RollbackFallback: RollbackFallback{Filename: inv.Filename}, group: inv.Group, runtime: inv.Runtime,
		}
		f.addLocked(inv.Key, known)
	}
	return known
}

// replaceLocked has calls of a function served otherwise for a while.
func (f *fallbacks) replaceLocked(known *fallback, why Replaced, reason string) {
	if time.Now().Before(known.Until) { // others were under way
		return
	}
	known.pause = min(max(2*known.pause, firstFallback), lastFallback)
	known.why, known.Reason, known.Until, known.ended = why, reason, time.Now().Add(known.pause), 0
	f.observer.RollbackChanged(known.RollbackFallback)
}

// list are the functions on a runtime that are served otherwise at the moment, by name. First says that it is the one
// of functions that name none.
func (f *fallbacks) list(runtime string, first bool) []RollbackFallback {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []RollbackFallback
	for _, known := range f.of {
		on := known.runtime == runtime || first && known.runtime == ""
		if on && time.Now().Before(known.Until) {
			all = append(all, known.RollbackFallback)
		}
	}
	byName := func(a, b RollbackFallback) int { return cmp.Compare(a.Filename, b.Filename) }
	slices.SortFunc(all, byName)
	return all
}
