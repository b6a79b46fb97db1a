package sandbox

// Size is how many bytes are kept.
func (c *Compiled) Size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.cache)
}
