package egress

// Bounds on what the denied attempts of one call write to the log: so many lines, and so many bytes of what was asked for where that is no
// target.
const (
	deniedLines  = 10
	deniedTarget = 100
)

// logDenied tells the operator of a denied attempt. Of a call with many only the first ones are told, and at its end how many others there were.
func (p *Proxy) logDenied(c *call, t target, argument string, failed *refusal) {
	if !c.mayTell() {
		return
	}
	if t.port != 0 && t.host() != "" {
		argument = t.String()
	} else if len(argument) > deniedTarget {
		argument = argument[:deniedTarget] + "…"
	}
	p.o.Logger.Warn("Egress denied", "function", c.function, "target", argument, "reason", string(failed.reason), "address", textOf(failed.addr), "requestId", c.id)
}

// mayTell counts a denied attempt and says whether it may have a line of its own.
func (c *call) mayTell() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.denied++
	return c.denied <= deniedLines
}

// logUntold tells how many denied attempts of a call that has ended had no line of their own.
func (p *Proxy) logUntold(c *call) {
	c.mu.Lock()
	untold := c.denied - deniedLines
	c.mu.Unlock()
	if untold > 0 {
		p.o.Logger.Warn("Egress denied, and more of the same call", "function", c.function, "count", untold, "requestId", c.id)
	}
}
