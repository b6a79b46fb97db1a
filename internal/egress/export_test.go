package egress

// Waiting is how many connections of the call in progress of a worker wait for a place.
func (p *Proxy) Waiting(pid int) int {
	c := p.callOf(pid)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting
}
