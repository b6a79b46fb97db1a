package egress

import "net/netip"

// span is the span of one attempt to connect; nil if traces are off.
type span func(result, address string, sent, received int64)

// beginSpan begins a span for a call that connects to t.
func (p *Proxy) beginSpan(c *call, t target) span {
	if p.o.Tracer == nil {
		return nil
	}
	return p.o.Tracer.Connection(c.outgoing, t.host(), int(t.port))
}

// failed ends the span of a failed attempt.
func (s span) failed(why *refusal) {
	if s != nil {
		s(why.result(), textOf(why.addr), 0, 0)
	}
}

// closed ends the span of a connection.
func (s span) closed(l *link) {
	if s != nil {
		s(Connected, textOf(l.addr), l.sent.Load(), l.received.Load())
	}
}

// textOf is empty for no address.
func textOf(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}
