package sandbox

import "context"

// Size is how many bytes are kept.
func (c *Compiled) Size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.cache)
}

// BeginRollback waits until there are workers of a runtime that can be put back: calls get others until then.
func (p *Pool) BeginRollback(ctx context.Context, runtime string, web bool) error {
	usual, err := p.current.Load().part(runtime)
	if err != nil {
		return err
	}
	key := partKey{usual: usual, memory: p.cfg.Limits.Memory, web: web, rollback: true}
	part, err := p.extra.join(key)
	if err != nil {
		return err
	}
	defer p.extra.leave(key, part)
	return part.wait(ctx)
}
