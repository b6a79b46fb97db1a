package sandbox

import (
	"bytes"
	"encoding/json"
	"sync"
)

// Compiled holds what V8 has made of the code of one function, from which a worker has it sooner than from its source.
// The one that keeps the code keeps one beside it, for one revision and one runtime, and hands it to all invocations.
// The zero value is empty. It is safe for concurrent use.
//
// V8 believes what it is given. So it comes from a worker that has compiled the code and run nothing: neither a
// function nor the input of a call had a part in it.
type Compiled struct {
	// Kept is called, if it is set, once there is something to keep, with how many bytes that is. It must be set before
	// the first use.
	Kept func(bytes int)

	mu    sync.Mutex // guards the fields below
	loads int
	cache json.RawMessage // a string of base64; nil while there is none
}

const (
	largeCode  = 16 << 10 // bytes of code; V8 is as fast with the source of less
	compiledAt = 2        // the load at which it is worth it: many functions are loaded but once
)

// mostCompiled is the most that is kept beside so many bytes of code. Usual code makes about as many; code of nothing
// but tiny functions can make fifty times as many, which every worker would have to be sent.
func mostCompiled(code int) int { return 4*code + 64<<10 }

// load counts that the code is loaded into a worker. It returns what that is to be given with the code, and whether the
// code should be compiled for later ones.
func (c *Compiled) load() (cache json.RawMessage, should bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loads++
	return c.cache, c.loads == compiledAt
}

func (c *Compiled) keep(cache json.RawMessage) {
	c.mu.Lock()
	c.cache = bytes.Clone(cache)
	c.mu.Unlock()
	if c.Kept != nil {
		c.Kept(len(cache))
	}
}

// retry has the code compiled another time.
func (c *Compiled) retry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loads = 0
}
