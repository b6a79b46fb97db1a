package secrets

import (
	"container/list"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/function"
)

// maxEntries bounds the functions whose secrets are in memory, be there values or not.
const maxEntries = 10_000

// maxIdle is how long values stay in memory that no call asks for.
const maxIdle = 10 * time.Minute

// cache has the secrets of functions that were called last, up to a number of bytes.
type cache struct {
	limit int64

	mu    sync.Mutex // guards the fields below
	used  int64
	order *list.List // of *entry, the one used last in front
	byKey map[string]*entry
}

func newCache(limit int64) cache {
	return cache{limit: limit, order: list.New(), byKey: map[string]*entry{}}
}

// entry are the secrets of one function.
type entry struct {
	ref   function.Ref
	names []string
	key   string

	state   atomic.Pointer[state] // nil before the first reading
	stale   atomic.Bool           // there was a change since the last reading began
	reading chan struct{}         // has one token while somebody reads

	at    *list.Element // guarded by the cache's lock, as are the fields below; nil once it is dropped
	bytes int64
	used  time.Time
}

// state is what was read.
type state struct {
	set   *Set
	err   error
	until time.Time // when it is to be read again
}

// result is what a call gets of it.
func (s *state) result(k *Keeper) (*Set, error) {
	if s.err == nil {
		return s.set, nil
	}
	if refused, ok := s.err.(*Error); ok { //nolint:errorlint // as find has made it
		k.Failed(refused.Reason)
	}
	return nil, s.err
}

// fresh is the state if it may be used; else nil.
func (e *entry) fresh(now time.Time) *state {
	s := e.state.Load()
	if s == nil || e.stale.Load() || !now.Before(s.until) {
		return nil
	}
	return s
}

// entry returns the one of a function and what it asks for.
func (c *cache) entry(ref function.Ref, names []string) *entry {
	key := ref.Namespace + "\x00" + ref.ID + "\x00" + strings.Join(names, ",")
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		e = &entry{ref: ref, names: names, key: key, reading: make(chan struct{}, 1)}
		e.at = c.order.PushFront(e)
		c.byKey[key] = e
	} else {
		c.order.MoveToFront(e.at)
	}
	e.used = time.Now()
	c.shrinkLocked()
	return e
}

// grown notes what an entry has now.
func (c *cache) grown(e *entry, s *state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.at == nil {
		return
	}
	c.used -= e.bytes
	if e.bytes = int64(len(e.key)); s.set != nil {
		e.bytes += s.set.bytes()
	}
	c.used += e.bytes
	c.shrinkLocked()
}

// shrinkLocked drops what was used longest ago, but for the last one.
func (c *cache) shrinkLocked() {
	for c.order.Len() > 1 {
		last := c.order.Back().Value.(*entry) //nolint:forcetypeassert // the list has no others
		if c.used <= c.limit && c.order.Len() <= maxEntries && time.Since(last.used) < maxIdle {
			return
		}
		c.dropLocked(last)
	}
}

// dropIdle drops what no call has asked for in a while.
func (c *cache) dropIdle(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.order.Len() > 0 {
		last := c.order.Back().Value.(*entry) //nolint:forcetypeassert // the list has no others
		if now.Sub(last.used) < maxIdle {
			return
		}
		c.dropLocked(last)
	}
}

func (c *cache) dropLocked(e *entry) {
	c.order.Remove(e.at)
	delete(c.byKey, e.key)
	c.used -= e.bytes
	e.at, e.bytes = nil, 0
}

// changed has all entries of a namespace read again; of every one for an empty name.
func (c *cache) changed(namespace string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.byKey {
		if namespace == "" || e.ref.Namespace == namespace {
			e.stale.Store(true)
		}
	}
}
