package egress

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// kinds are the record types that functions may query.
var kinds = map[string]uint16{
	"A": dns.TypeA, "AAAA": dns.TypeAAAA, "ANY": dns.TypeANY, "CAA": dns.TypeCAA, "CNAME": dns.TypeCNAME,
	"MX": dns.TypeMX, "NAPTR": dns.TypeNAPTR, "NS": dns.TypeNS, "PTR": dns.TypePTR, "SOA": dns.TypeSOA,
	"SRV": dns.TypeSRV, "TLSA": dns.TypeTLSA, "TXT": dns.TypeTXT,
}

// Limits of the names that are checked in one answer, in total and at a time; records with other names are left out.
const (
	maxNamed = 32
	atATime  = 2
)

// records answers "KIND/NAME": the records of a name, without those that lead where functions may not go.
func (p *Proxy) records(ctx context.Context, c *call, argument string) (any, *refusal) {
	kindName, name, _ := strings.Cut(argument, "/")
	kind, ok := kinds[kindName]
	if !ok {
		return nil, &refusal{reason: ReasonProtocol}
	}
	q := &question{proxy: p, call: c, kind: kind}
	if failed := q.setName(name); failed != nil {
		return nil, failed
	}
	return q.answer(ctx)
}

// question is a query of a call about a name.
type question struct {
	proxy *Proxy
	call  *call
	name  string
	kind  uint16
}

// setName sets the name in the form in which it is queried, unless the policy refuses queries about it.
func (q *question) setName(text string) *refusal {
	t, err := parseHost(text)
	if err != nil || t.name == "" {
		return &refusal{code: codeBadName}
	}
	q.name = t.name
	if addr, isReverse := reversed(q.name); isReverse {
		return q.mayAskAbout(addr)
	}
	if reason := q.call.policy.mayAsk(q.name); reason != "" {
		return &refusal{reason: reason}
	}
	return nil
}

// mayAskAbout says why the names of an address are not disclosed; nil if they are.
func (q *question) mayAskAbout(addr netip.Addr) *refusal {
	if !addr.IsValid() {
		return &refusal{code: codeNotFound}
	}
	if allowed, denied := q.proxy.dialer.siftNames(q.call.policy, "", []netip.Addr{addr}); len(allowed) == 0 {
		return denied
	}
	return nil
}

// mayTellOf says why the records are not disclosed: aliases have led to a name that must not be queried. Names that no
// rule allows are disclosed as the alias of an allowed one.
func (q *question) mayTellOf(found []dns.RR) *refusal {
	for _, rr := range found {
		name := strings.ToLower(plain(rr.Header().Name))
		if addr, isReverse := reversed(name); isReverse {
			if denied := q.mayAskAbout(addr); denied != nil && !q.delegates(name, addr) {
				return denied
			}
		} else if reason := q.call.policy.mayAsk(name); reason == ReasonRule && !q.isAddress() {
			return &refusal{reason: reason}
		}
	}
	return nil
}

// delegates says whether name lies within the reverse zone of the address that was queried: RFC 2317.
func (q *question) delegates(name string, addr netip.Addr) bool {
	_, zone, _ := strings.Cut(q.name, ".")
	_, isReverse := reversed(q.name)
	return isReverse && !addr.IsValid() && strings.HasSuffix(name, "."+zone)
}

// answer queries the name servers. If all addresses of a name are refused, the name does not exist, whatever was
// queried.
func (q *question) answer(ctx context.Context) (any, *refusal) {
	found, code := q.proxy.servers.ask(ctx, q.name, q.kind)
	if code != "" {
		return nil, &refusal{code: code}
	}
	if denied := q.mayTellOf(found); denied != nil {
		return nil, denied
	}
	if _, isReverse := reversed(q.name); !isReverse {
		if denied := q.inside(ctx, q.name); denied != nil {
			return nil, denied
		}
	}
	found = ofQuestion(found, q.name, q.kind)
	kept, denied := q.sift(ctx, found)
	if len(kept) == 0 {
		if denied != nil && !q.isAddress() {
			return nil, denied
		}
		return nil, &refusal{code: codeNoData}
	}
	for _, rr := range kept {
		if addr := addressOf(rr); addr.IsValid() {
			q.call.remember(q.name, []netip.Addr{addr})
		}
	}
	return shape(kept, q.kind), nil
}

func (q *question) isAddress() bool { return q.kind == dns.TypeA || q.kind == dns.TypeAAAA }

// inside says why all addresses of a name are refused; nil if one is not, or if it has none. A failed lookup is a
// reason too.
func (q *question) inside(ctx context.Context, name string) *refusal {
	var found [2][]dns.RR
	var codes [2]string
	var both sync.WaitGroup
	for i, kind := range [...]uint16{dns.TypeA, dns.TypeAAAA} {
		both.Go(func() {
			var all []dns.RR
			all, codes[i] = q.proxy.servers.ask(ctx, name, kind)
			found[i] = ofQuestion(all, name, kind)
		})
	}
	both.Wait()
	var addrs []netip.Addr
	for _, rr := range slices.Concat(found[0], found[1]) {
		addrs = append(addrs, addressOf(rr))
	}
	if len(addrs) == 0 {
		for _, code := range codes {
			if code != "" && code != codeNotFound {
				return &refusal{code: code}
			}
		}
		return nil
	}
	allowed, denied := q.proxy.dialer.siftNames(q.call.policy, name, addrs)
	if len(allowed) > 0 {
		return nil
	}
	return denied
}

// sift returns the records that lead nowhere or where functions may go; denied is why the first of the others does not,
// with the names of those that do not for the same reason.
func (q *question) sift(ctx context.Context, found []dns.RR) (kept []dns.RR, denied *refusal) {
	verdicts := q.check(ctx, found)
	for _, rr := range found {
		var verdict *refusal
		if addr := addressOf(rr); addr.IsValid() {
			if allowed, why := q.proxy.dialer.siftNames(q.call.policy, q.name, []netip.Addr{addr}); len(allowed) == 0 {
				verdict = why
			}
		} else if name := nameIn(rr); name != "" {
			verdict = verdicts[name]
		}
		if verdict == nil {
			kept = append(kept, rr)
			continue
		}
		if denied == nil {
			first := *verdict
			denied = &first
		}
		name := nameIn(rr)
		if name != "" && verdict.reason == denied.reason && !slices.Contains(denied.names, name) {
			denied.names = append(denied.names, name)
		}
	}
	return kept, denied
}

// check finds out which of the names in records lead inside.
func (q *question) check(ctx context.Context, found []dns.RR) map[string]*refusal {
	var named []string
	for _, rr := range found {
		if name := nameIn(rr); name != "" && !slices.Contains(named, name) {
			named = append(named, name)
		}
	}
	verdicts := map[string]*refusal{}
	for _, name := range named[min(len(named), maxNamed):] {
		verdicts[name] = &refusal{reason: ReasonLimit}
	}
	named = named[:min(len(named), maxNamed)]
	if _, ok, _ := q.call.attempt(len(named)); !ok && len(named) > 0 { // each costs a lookup
		for _, name := range named {
			verdicts[name] = &refusal{reason: ReasonLimit}
		}
		return verdicts
	}
	var mu sync.Mutex // guards verdicts
	var all sync.WaitGroup
	turns := make(chan struct{}, atATime)
	for _, name := range named {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			verdict := q.checkName(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			verdicts[name] = verdict
		})
	}
	all.Wait()
	return verdicts
}

func (q *question) checkName(ctx context.Context, name string) *refusal {
	if reason := q.call.policy.mayAsk(name); reason != "" {
		return &refusal{reason: reason}
	}
	return q.inside(ctx, name)
}
