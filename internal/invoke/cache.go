package invoke

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/backstage/functions/internal/function"
)

// cache holds functions in memory. It is safe for concurrent use.
//
// An entry is trusted for half of maxStale after the source confirmed it. Then the next call starts a check and goes on
// with the entry; only a call that finds it older than maxStale waits for the check. So a function in steady use never
// waits for the store, and none runs code that was replaced more than maxStale ago, unless the store is away.
type cache struct {
	source   Source
	logger   *slog.Logger
	maxStale time.Duration
	bounds   function.Bounds
	flights  singleflight.Group

	mu   sync.Mutex // guards the fields below and entry.verified
	kept *lru
	// current holds the flight of each function that is being loaded or checked. A change removes it: what a flight
	// read before the change is then not kept.
	current map[function.Ref]*flight
	// changes counts them. Calls share a flight only if they saw the same number: one that starts after a change must
	// not be given what was read before it.
	changes uint64
	// away is set while the source cannot be reached, and no check is started before retry.
	away  bool
	retry time.Time
	// looked counts the calls by what they found.
	looked [trusted + 1]uint64
}

// flight is one load or check. Its address is what identifies it.
type flight struct{ ref function.Ref }

func newCache(o Options) *cache {
	return &cache{
		source:   o.Source,
		logger:   o.Logger,
		maxStale: o.MaxStale,
		bounds:   o.Bounds,
		kept:     newLRU(o.CacheBytes),
		current:  map[function.Ref]*flight{},
	}
}

// get returns the function, from memory if it can. A load goes on when ctx ends, for others may wait for it too.
func (c *cache) get(ctx context.Context, ref function.Ref) (*entry, error) {
	e, _, err := c.find(ctx, ref)
	return e, err
}

// find is get, and tells how many changes there were when it looked.
func (c *cache) find(ctx context.Context, ref function.Ref) (e *entry, changes uint64, err error) {
	e, trust, changes := c.look(ref)
	if trust == trusted {
		return e, changes, nil
	}
	detached := context.WithoutCancel(ctx)
	done := c.flights.DoChan(flightKey(ref, changes), func() (any, error) { return c.refresh(detached, ref) })
	if trust == aging {
		return e, changes, nil
	}
	select {
	case result := <-done:
		if result.Err != nil {
			return nil, changes, result.Err
		}
		return result.Val.(*entry), changes, nil
	case <-ctx.Done():
		return nil, changes, fmt.Errorf("invoke: load %s: %w", ref, context.Cause(ctx))
	}
}

// trust is what may be done with an entry.
type trust uint8

const (
	absent  trust = iota // there is none: load it
	stale                // check it before it is used
	aging                // use it, and check it meanwhile
	trusted              // use it
)

func (c *cache) look(ref function.Ref) (e *entry, t trust, changes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e = c.kept.get(ref)
	t = c.trustLocked(e)
	c.looked[t]++
	return e, t, c.changes
}

// stillTrusted says whether what was found a moment ago may be used without asking for it again.
func (c *cache) stillTrusted(found *Found) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.kept.get(found.Function.Ref) {
	case found.entry:
		return c.trustLocked(found.entry) >= aging
	case nil: // no room for it
		return c.changes == found.changes && time.Since(found.at) < c.maxStale/2
	}
	return false
}

// stats returns the state of the cache.
func (c *cache) stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return CacheStats{
		Hits: c.looked[trusted] + c.looked[aging], Stale: c.looked[stale], Misses: c.looked[absent],
		Evictions: c.kept.evicted,
		Functions: len(c.kept.byRef), Bytes: c.kept.used, LimitBytes: c.kept.limit, Away: c.away,
	}
}

func (c *cache) trustLocked(e *entry) trust {
	if e == nil {
		return absent
	}
	now := time.Now()
	age := now.Sub(e.verified)
	switch {
	case age < c.maxStale/2 || now.Before(c.retry):
		return trusted
	case age < c.maxStale || c.away:
		return aging
	}
	return stale
}

// changed forgets what a change has made wrong, in memory and on its way there.
func (c *cache) changed(change function.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	for ref := range c.current {
		if change.All || ref == change.Ref || ref.Namespace == change.Namespace {
			delete(c.current, ref)
		}
	}
	switch {
	case change.All:
		c.distrustLocked()
	case change.Namespace != "":
		c.dropNamespaceLocked(change.Namespace)
	default:
		c.kept.remove(change.Ref)
	}
}

// distrustLocked has every entry checked before it is used again. None is dropped: should the source go away again at
// once, they keep running.
func (c *cache) distrustLocked() {
	c.away, c.retry = false, time.Time{}
	c.kept.all(func(e *entry) { e.verified = time.Time{} })
}

// dropNamespaceLocked drops the functions of a namespace, whose settings were read together with them.
func (c *cache) dropNamespaceLocked(namespace string) {
	c.kept.all(func(e *entry) {
		if e.fn.Namespace == namespace {
			c.kept.remove(e.fn.Ref)
		}
	})
}

func flightKey(ref function.Ref, changes uint64) string {
	return ref.Namespace + "\x00" + ref.ID + "\x00" + strconv.FormatUint(changes, 10)
}
