package stacktrace

import (
	"container/list"
	"sync"
	"time"
)

// cache holds maps up to a number of bytes and drops those used longest ago. For a moment it also remembers of which
// functions there is none. It is safe for concurrent use.
type cache struct {
	limit int64

	mu    sync.Mutex // guards the fields below
	used  int64
	order *list.List // of *cached, the one used last in front
	byKey map[string]*list.Element
	tried map[string]time.Time // when the map was read that is not kept
}

type cached struct {
	key string
	m   *Map
}

func newCache(limit int64) *cache {
	return &cache{
		limit: limit, order: list.New(), byKey: map[string]*list.Element{}, tried: map[string]time.Time{},
	}
}

// get returns the map of key. Known says that it, nil for none, is all that there is at now.
func (c *cache) get(key string, now time.Time) (m *Map, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byKey[key]; ok {
		c.order.MoveToFront(at)
		return at.Value.(*cached).m, true
	}
	at, ok := c.tried[key]
	return nil, ok && now.Sub(at) < again
}

// put keeps m, which may be nil, as what there is of key at now.
func (c *cache) put(key string, m *Map, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m == nil || m.Bytes() > c.limit {
		c.missLocked(key, now)
		return
	}
	if _, ok := c.byKey[key]; ok {
		return
	}
	delete(c.tried, key)
	c.byKey[key] = c.order.PushFront(&cached{key, m})
	c.used += m.Bytes()
	for c.used > c.limit {
		last := c.order.Remove(c.order.Back()).(*cached)
		delete(c.byKey, last.key)
		c.used -= last.m.Bytes()
		c.missLocked(last.key, now)
	}
}

// missLocked remembers that the map of key is not to be read again for a while.
func (c *cache) missLocked(key string, now time.Time) {
	if len(c.tried) >= maxTried {
		for old, at := range c.tried {
			if now.Sub(at) >= again {
				delete(c.tried, old)
			}
		}
		if len(c.tried) >= maxTried {
			clear(c.tried)
		}
	}
	c.tried[key] = now
}
