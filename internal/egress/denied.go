package egress

import "strings"

// Limits of what denied attempts of one call write to the log: number of lines, bytes of the argument if it is not a
// target, and names that its records lead to.
const (
	deniedLines  = 10
	deniedTarget = 100
	deniedNames  = 8
)

// logDenied logs a denied attempt. Only the first ones of a call are logged, and at its end the number of the others.
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
	about := []any{
		"function", a.call.name(), "target", asked, "reason", string(failed.reason), "address", textOf(failed.addr),
		"requestId", a.call.id,
	}
	if names := failed.names[:min(len(failed.names), deniedNames)]; len(names) > 0 {
		about = append(about, "leadsTo", strings.Join(names, ","))
	}
	p.o.Logger.Warn("Egress denied", about...)
}

// mayTell counts a denied attempt and says whether it gets a line of its own.
func (c *call) mayTell() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.denied++
	return c.denied <= deniedLines
}

// logUntold logs for a call that has ended how many denied attempts had no line of their own, and how many connections
// still waited for a place.
func (p *Proxy) logUntold(c *call) {
	c.mu.Lock()
	untold, waiting := c.denied-deniedLines, c.waiting
	c.mu.Unlock()
	if untold > 0 {
		p.o.Logger.Warn("Egress denied, and more of the same call", "function", c.name(), "count", untold,
			"requestId", c.id)
	}
	if waiting > 0 {
		p.o.Logger.Warn("Egress: connections waited for a place until their call ended", "function", c.name(),
			"count", waiting, "requestId", c.id)
	}
}
