package api

import (
	"context"
	"sync"
	"time"
)

// batchPlaces are what the inputs of a batch have while they are served. The zero value has none taken. It is safe for
// concurrent use.
type batchPlaces struct {
	mu      sync.Mutex    // guards the fields below
	taken   int           // inputs that have begun
	running int           // those of them that do not wait for another one of the batch
	changed chan struct{} // is closed when one has ended; nil while nobody waits
}

// spareInterval is how long it takes until workers are looked at again when none was spare.
const spareInterval = 50 * time.Millisecond

// take waits until another input may begin: the first one may at once, one beside others if there is room for it. It
// returns false when ctx ends.
func (p *batchPlaces) take(ctx context.Context, spare func(running int) bool) bool {
	for ctx.Err() == nil {
		p.mu.Lock()
		if p.taken == 0 || spare(p.taken) {
			p.taken++
			p.running++
			p.mu.Unlock()
			return true
		}
		changed := p.changedLocked()
		p.mu.Unlock()
		wait := time.NewTimer(spareInterval)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-wait.C:
		}
		wait.Stop()
	}
	return false
}

// give gives back what take has taken.
func (p *batchPlaces) give() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.running--
	p.tellLocked()
}

// yield waits until another input of the batch has ended, whose room this one may have. It returns false at once when
// no other one runs.
func (p *batchPlaces) yield(ctx context.Context) bool {
	p.mu.Lock()
	if p.running == 1 {
		p.mu.Unlock()
		return false
	}
	p.running--
	changed := p.changedLocked()
	p.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-changed:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running++
	return ctx.Err() == nil
}

func (p *batchPlaces) changedLocked() <-chan struct{} {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

func (p *batchPlaces) tellLocked() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}
