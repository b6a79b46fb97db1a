package limits

import "sync"

// mostCallKeys is how many calls are remembered whose key has a quota of egress.
const mostCallKeys = 1 << 16

// callKeys has the keys of the newest calls whose key has a quota of egress: their connections tell of what they have
// sent when they end, which may be after the call. The zero value is ready. It is safe for concurrent use.
type callKeys struct {
	mu   sync.Mutex // guards the fields below
	keys map[string]string
	ring []string // calls
	next int
}

func (c *callKeys) put(call, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		c.keys = map[string]string{}
	}
	if len(c.ring) < mostCallKeys {
		c.ring = append(c.ring, call)
	} else {
		delete(c.keys, c.ring[c.next])
		c.ring[c.next] = call
		c.next = (c.next + 1) % mostCallKeys
	}
	c.keys[call] = key
}

// get returns the key of a call, empty for none.
func (c *callKeys) get(call string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys[call]
}
