package egress

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// kinds are the records that functions may ask for.
var kinds = map[string]uint16{
	"A": dns.TypeA, "AAAA": dns.TypeAAAA, "ANY": dns.TypeANY, "CAA": dns.TypeCAA, "CNAME": dns.TypeCNAME,
	"MX": dns.TypeMX, "NAPTR": dns.TypeNAPTR, "NS": dns.TypeNS, "PTR": dns.TypePTR, "SOA": dns.TypeSOA,
	"SRV": dns.TypeSRV, "TLSA": dns.TypeTLSA, "TXT": dns.TypeTXT,
}

// Of one answer so many names are looked at, so many at a time: the records of all others are left out.
const (
	maxNamed = 32
	atATime  = 2
)

// records answers "KIND/NAME": the records of a name, but for those that lead where functions may not go.
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

// question is what a call wants to know of a name.
type question struct {
	proxy *Proxy
	call  *call
	name  string
	kind  uint16
}

// setName takes the name in the form in which it is asked about, unless the policy refuses questions about it.
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

// mayAskAbout says why the names of an address are not told; nil when they are.
func (q *question) mayAskAbout(addr netip.Addr) *refusal {
	if !addr.IsValid() {
		return &refusal{code: codeNotFound}
	}
	if allowed, denied := q.proxy.dialer.siftNames(q.call.policy, "", []netip.Addr{addr}); len(allowed) == 0 {
		return denied
	}
	return nil
}

// mayTellOf says why the records are not told: aliases have led to a name that could not be asked about. Names that
// nothing allows are told, as an alias of one that is allowed.
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

// delegates says whether name is one within the reverse zone of the address that was asked about: RFC 2317.
func (q *question) delegates(name string, addr netip.Addr) bool {
	_, zone, _ := strings.Cut(q.name, ".")
	_, isReverse := reversed(q.name)
	return isReverse && !addr.IsValid() && strings.HasSuffix(name, "."+zone)
}

// answer asks the name servers. A name of which all addresses are refused is none, whatever was asked.
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

// inside says why all addresses of a name are refused; nil when one is not, or when it has none. What cannot be
// learned is a reason, too.
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

// sift returns the records that lead where functions may go, or nowhere; denied is why the first of the others does
// not.
func (q *question) sift(ctx context.Context, found []dns.RR) (kept []dns.RR, denied *refusal) {
	verdicts := q.judge(ctx, found)
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
		} else if denied == nil {
			denied = verdict
		}
	}
	return kept, denied
}

// judge says of the names in records which of them lead inside.
func (q *question) judge(ctx context.Context, found []dns.RR) map[string]*refusal {
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
	if _, ok, _ := q.call.attempt(len(named)); !ok && len(named) > 0 { // they cost lookups, too
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
			verdict := q.judgeName(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			verdicts[name] = verdict
		})
	}
	all.Wait()
	return verdicts
}

func (q *question) judgeName(ctx context.Context, name string) *refusal {
	if reason := q.call.policy.mayAsk(name); reason != "" {
		return &refusal{reason: reason}
	}
	return q.inside(ctx, name)
}
