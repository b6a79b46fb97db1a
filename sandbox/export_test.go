package sandbox

// Size is how many bytes are kept.
func (c *Compiled) Size() int { return c.size() }
