package sandbox

import (
	"math"
	"runtime"
)

// Calls that do nothing but compute, and only for a moment, are not served faster by more workers than there are processors: these would
// take turns, and each turn costs more than such a call. So calls of a short function are held back, in the queue, while lean of its workers
// are busy, whatever else stands idle or could be started.

// lean is how many workers keep all processors busy: as many as there are, or more where the limit of each is less than one.
func lean(cfg *Config) int {
	share := 1.0
	if cfg.Limits.CPU > 0 {
		share = min(share, cfg.Limits.CPU)
	}
	return int(math.Ceil(float64(runtime.GOMAXPROCS(0)) / share))
}

// heldLocked says whether calls of key wait for one of the workers that serve it, and for no other.
func (p *Pool) heldLocked(key string) bool { return p.busy[key] >= p.lean && p.paces.short(key) }

func (p *Pool) notHeldLocked(key string) bool { return !p.heldLocked(key) }

// setBusyLocked notes whether w serves a call.
func (p *Pool) setBusyLocked(w *slot, busy bool) {
	if w.busy == busy {
		return
	}
	w.busy = busy
	if busy {
		p.busy[w.key]++
	} else if p.busy[w.key]--; p.busy[w.key] == 0 {
		delete(p.busy, w.key)
	}
}
