package egress

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// maxChain is the longest chain of aliases.
const maxChain = 16

// ofQuestion returns the records of found that answer the question about a name: its own, and for addresses those of
// the name that its CNAME records lead to.
func ofQuestion(found []dns.RR, name string, kind uint16) []dns.RR {
	var records []dns.RR
	for range maxChain {
		next := ""
		for _, rr := range found {
			head := rr.Header()
			if !strings.EqualFold(head.Name, dns.Fqdn(name)) || head.Class != dns.ClassINET {
				continue
			}
			if kind == dns.TypeANY && known(rr) || head.Rrtype == kind {
				records = append(records, rr)
			} else if alias, ok := rr.(*dns.CNAME); ok {
				next = alias.Target
			}
		}
		if len(records) > 0 || next == "" {
			return records
		}
		name = next
	}
	return records
}

func known(rr dns.RR) bool {
	for _, kind := range kinds {
		if rr.Header().Rrtype == kind {
			return true
		}
	}
	return false
}

// addressOf is the address in a record, if it has one.
func addressOf(rr dns.RR) netip.Addr {
	switch rr := rr.(type) {
	case *dns.A:
		addr, _ := netip.AddrFromSlice(rr.A)
		return addr.Unmap()
	case *dns.AAAA:
		addr, _ := netip.AddrFromSlice(rr.AAAA)
		return addr
	}
	return netip.Addr{}
}

// nameIn is the host name in a record, if it has one.
func nameIn(rr dns.RR) string {
	name := ""
	switch rr := rr.(type) {
	case *dns.CNAME:
		name = rr.Target
	case *dns.MX:
		name = rr.Mx
	case *dns.NAPTR:
		name = rr.Replacement
	case *dns.NS:
		name = rr.Ns
	case *dns.PTR:
		name = rr.Ptr
	case *dns.SOA:
		name = rr.Ns
	case *dns.SRV:
		name = rr.Target
	}
	return plain(name)
}

// plain is a name without its final full stop.
func plain(name string) string { return strings.TrimSuffix(name, ".") }

// object is a record in the form of Node.js.
type object map[string]any

// order is the order in which Node.js lists records of several types.
var order = []uint16{
	dns.TypeA, dns.TypeCNAME, dns.TypeAAAA, dns.TypeMX, dns.TypeNS, dns.TypeTXT, dns.TypeSRV, dns.TypePTR, dns.TypeNAPTR,
	dns.TypeSOA,
	dns.TypeCAA, dns.TypeTLSA,
}

func inOrder(a, b dns.RR) int {
	return cmp.Compare(slices.Index(order, a.Header().Rrtype), slices.Index(order, b.Header().Rrtype))
}

// shape turns records into the result of Node.js.
func shape(records []dns.RR, kind uint16) any {
	switch kind {
	case dns.TypeA, dns.TypeAAAA:
		addresses, ttls := []netip.Addr{}, []uint32{}
		for _, rr := range records {
			addresses, ttls = append(addresses, addressOf(rr)), append(ttls, rr.Header().Ttl)
		}
		return object{"addresses": addresses, "ttls": ttls}
	case dns.TypeSOA:
		return shapeOne(records[0])
	}
	slices.SortStableFunc(records, inOrder)
	all := []any{}
	for _, rr := range records {
		one := shapeOne(rr)
		if kind == dns.TypeANY {
			one = withType(rr, one)
		}
		all = append(all, one)
	}
	return all
}

func shapeOne(rr dns.RR) any {
	switch rr := rr.(type) {
	case *dns.CNAME, *dns.NS, *dns.PTR:
		return nameIn(rr)
	case *dns.MX:
		return object{"exchange": plain(rr.Mx), "priority": rr.Preference}
	case *dns.TXT:
		return texts(rr.Txt)
	case *dns.SRV:
		return object{"name": plain(rr.Target), "port": rr.Port, "priority": rr.Priority, "weight": rr.Weight}
	case *dns.SOA:
		return object{
			"nsname": plain(rr.Ns), "hostmaster": plain(rr.Mbox), "serial": rr.Serial, "refresh": rr.Refresh, "retry": rr.Retry,
			"expire": rr.Expire, "minttl": rr.Minttl,
		}
	case *dns.CAA:
		one := object{"critical": rr.Flag}
		if isCAATag(rr.Tag) {
			one[rr.Tag] = unescape(rr.Value)
		}
		return one
	case *dns.NAPTR:
		return object{
			"flags": unescape(rr.Flags), "service": unescape(rr.Service), "regexp": unescape(rr.Regexp),
			"replacement": plain(rr.Replacement), "order": rr.Order, "preference": rr.Preference,
		}
	case *dns.TLSA:
		return object{"certUsage": rr.Usage, "selector": rr.Selector, "match": rr.MatchingType, "data": rr.Certificate}
	}
	return nil
}

// isCAATag says whether a tag is registered (RFC 8659), in any case. Others could replace other members of a record.
func isCAATag(tag string) bool {
	switch strings.ToLower(tag) {
	case "issue", "issuewild", "iodef", "contactemail", "contactphone", "issuevmc", "issuemail":
		return true
	}
	return false
}

// withType is a record as Node.js lists it among others.
func withType(rr dns.RR, one any) any {
	kind := dns.TypeToString[rr.Header().Rrtype]
	switch rr.(type) {
	case *dns.A, *dns.AAAA:
		return object{"address": addressOf(rr), "ttl": rr.Header().Ttl, "type": kind}
	case *dns.TXT:
		return object{"entries": one, "type": kind}
	case *dns.CNAME, *dns.NS, *dns.PTR:
		return object{"value": one, "type": kind}
	}
	all := one.(object)
	all["type"] = kind
	return all
}

func texts(parts []string) []string {
	all := []string{}
	for _, part := range parts {
		all = append(all, unescape(part))
	}
	return all
}

// unescape undoes the library's escaping: each byte is one character again, as in Node.js.
func unescape(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:min(i+4, len(text))], 10, 8); err == nil && i+3 < len(text) {
				c, i = byte(n), i+3
			} else {
				i++
				c = text[i]
			}
		}
		out.WriteRune(rune(c))
	}
	return out.String()
}
