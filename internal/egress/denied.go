package egress

// Bounds on what the denied attempts of one call write to the log: so many lines, and so many bytes of what was asked
// for where that is no target.
const (
	deniedLines  = 10
	deniedTarget = 100
)

// logDenied tells the operator of a denied attempt. Of a call with many only the first ones are told, and at its end
// how many others there were.
func (p *Proxy) logDenied(a *attempt, failed *refusal) {
	if !a.call.mayTell() {
		return
	}
	asked := a.argument
	if a.target.port != 0 && a.target.host() != "" {
		asked = a.target.String()
	} else if len(asked) > deniedTarget {
		asked = asked[:deniedTarget] + "…"
	}
	p.o.Logger.Warn("Egress denied", "function", a.call.function, "target", asked, "reason", string(failed.reason),
		"address", textOf(failed.addr), "requestId", a.call.id)
}

// mayTell counts a denied attempt and says whether it may have a line of its own.
func (c *call) mayTell() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.denied++
	return c.denied <= deniedLines
}

// logUntold tells of a call that has ended how many denied attempts had no line of their own, and how many
// connections waited for a place until then.
func (p *Proxy) logUntold(c *call) {
	c.mu.Lock()
	untold, waiting := c.denied-deniedLines, c.waiting
	c.mu.Unlock()
	if untold > 0 {
		p.o.Logger.Warn("Egress denied, and more of the same call", "function", c.function, "count", untold,
			"requestId", c.id)
	}
	if waiting > 0 {
		p.o.Logger.Warn("Egress: connections waited for a place until their call ended", "function", c.function,
			"count", waiting, "requestId", c.id)
	}
}
