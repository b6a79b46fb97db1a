package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// compiled returns what a worker is to be given with the code of inv. When there is nothing yet it may have it made for
// later ones.
func (p *runtimePool) compiled(inv *Invocation) json.RawMessage {
	if inv.Compiled == nil || inv.Kind != Run || len(inv.Code) < largeCode {
		return nil
	}
	cache, should := inv.Compiled.load()
	if should {
		p.compiling.Go(func() {
			p.compile(inv.Compiled, &Invocation{
				ID: inv.ID, Kind: compile, Key: inv.Key + "\x00\x00compile", Group: inv.Group, Owner: inv.Owner,
				Filename: inv.Filename, Code: inv.Code, Web: inv.Web, Once: inv.Once,
			})
		})
	}
	return cache
}

// compile has a worker make what c holds. Its call waits as any other does, and its worker ends with it; it
// has until the deadline of answers, since nothing of the function runs.
func (p *runtimePool) compile(c *Compiled, inv *Invocation) {
	result, _, err := p.attempt(context.Background(), inv, time.Now(), false)
	switch {
	case err == nil && len(result.Body) > mostCompiled(len(inv.Code)): // it would come again
	case err == nil && len(result.Body) > 0 && result.Body[0] == '"':
		c.keep(result.Body)
	case err != nil && !isOfTheCode(err):
		c.retry()
	}
}

// isOfTheCode says whether err, which compiling has brought about, would come again.
func isOfTheCode(err error) bool {
	var death *DeathError
	if !errors.As(err, &death) {
		return false
	}
	switch death.Reason {
	case ReasonDeadline, ReasonMemory, ReasonHeap, ReasonOutput, ReasonSyscall:
		return true
	default:
		return false
	}
}
