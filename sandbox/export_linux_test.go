package sandbox

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
