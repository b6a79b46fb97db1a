package sandbox

import "context"

// SnapshotPages is how many pages of memory this process holds for the snapshots of all workers.
func (p *Pool) SnapshotPages() int {
	p.extra.mu.Lock()
	defer p.extra.mu.Unlock()
	n := 0
	for _, part := range p.extra.parts {
		<-part.made
		if part.pool != nil {
			n += part.pool.starter.(processes).SnapshotPages()
		}
	}
	return n
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
