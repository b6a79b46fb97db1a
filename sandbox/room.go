package sandbox

import "time"

// How many workers there may be beyond Active depends on the memory that is left, to the workers and to the machine:
//
//	all of Config.Memory ┌─────────────────┐
//	                     │ there may be    │ more workers, up to Size
//	     a quarter left  ├─────────────────┤
//	                     │ scarce:         │ as many as there were when it became so, and Reserve for groups that hold none
//	     an eighth left  ├─────────────────┤
//	                     │ short:          │ workers end that are idle, or at work after an answer, until it is more
//	   a sixteenth left  ├─────────────────┤
//	                     │ nearly gone:    │ calls end of the group that uses the most, if there are several (roomend.go)
//	        nothing left └─────────────────┘ the kernel ends the largest worker

const (
	roomLook   = 100 * time.Millisecond // how often the memory is looked at while there are more workers than Active
	roomSoon   = 10 * time.Millisecond  // and while they become more, or memory is scarce
	scarcePart = 4
	shortPart  = 8
	evictPart  = 8 // of the workers that serve nobody end at each look while memory is short
)

// roomTeller is a starter that knows how much memory is left for workers, in bytes. Known is false where that cannot be learnt.
type roomTeller interface {
	memoryLeft() (left int64, known bool)
}

// room is what is known of the memory. The zero value is that of enough.
type room struct {
	looked  time.Time
	scarce  bool
	short   bool
	ceiling int // the most workers while it is scarce
}

// crowdedLocked says whether there are workers beyond Active, or will be with the next one.
func (p *Pool) crowdedLocked() bool {
	return p.grows() && p.cfg.Size-p.freeOfLocked(p.cfg.Size) >= p.cfg.Active
}

// lookAtRoom looks at the memory that is left, if the last look is so long ago, and ends workers that serve nobody where it is short. It says
// whether it matters.
func (p *Pool) lookAtRoom(ago time.Duration) (crowded bool) {
	teller, ok := p.starter.(roomTeller)
	p.mu.Lock()
	crowded = ok && p.cfg.Memory > 0 && p.crowdedLocked()
	due := crowded && time.Since(p.house.room.looked) >= ago
	if due {
		p.house.room.looked = time.Now()
	}
	p.mu.Unlock()
	if !due {
		return crowded
	}
	left, known := teller.memoryLeft()
	if !known {
		left = p.cfg.Memory
	}
	p.mu.Lock()
	p.noteMemoryLocked(left)
	p.mu.Unlock()
	p.endGreatest(left)
	return true
}

// noteMemoryLocked notes that so much is left.
func (p *Pool) noteMemoryLocked(left int64) {
	r := &p.house.room
	scarce := left < p.cfg.Memory/scarcePart
	if scarce && !r.scarce {
		r.ceiling = max(p.cfg.Size-p.freeOfLocked(p.cfg.Size), p.cfg.Active)
	}
	r.scarce, r.short = scarce, left < p.cfg.Memory/shortPart
	if !r.short {
		return
	}
	for n := p.house.restingLocked()/evictPart + 1; n > 0 && p.house.restingLocked() > 0 && p.crowdedLocked() && p.evictLocked(); n-- {
		r.ceiling = max(r.ceiling-1, p.cfg.Active)
	}
}

// restingLocked is how many workers serve nobody: they are idle, or at work after an answer.
func (h *house) restingLocked() int {
	n := h.late
	for _, p := range h.pools {
		n += p.idle.len()
	}
	return n
}

// roomPause is how long it is until the next look at the memory.
func (p *Pool) roomPause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.house.room.scarce {
		return roomSoon
	}
	return roomLook
}

// limitLocked is the most workers that there may be now.
func (p *Pool) limitLocked() int {
	if r := &p.house.room; r.scarce {
		return min(r.ceiling, p.cfg.Size)
	}
	return p.cfg.Size
}

// spareLocked is how many workers more there may be for groups that hold none where memory is scarce.
func (p *Pool) spareLocked(newcomers int) int {
	if newcomers == 0 || !p.house.room.scarce {
		return 0
	}
	return max(min(p.cfg.Reserve, p.freeOfLocked(p.cfg.Size)), 0)
}
