package egress

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// target is what a function wants to reach: a name, or an address if that is valid.
type target struct {
	name string
	addr netip.Addr
	port uint16
}

func (t target) host() string {
	if t.addr.IsValid() {
		return t.addr.String()
	}
	return t.name
}

func (t target) String() string {
	if t.addr.Is6() {
		return "[" + t.host() + "]:" + strconv.Itoa(int(t.port))
	}
	return t.host() + ":" + strconv.Itoa(int(t.port))
}

var (
	errHost = errors.New("not a host name or an address")
	errPort = errors.New("not a port")
)

// parseTarget reads "host:port"; an IPv6 address is in brackets.
func parseTarget(text string) (target, error) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return target{}, errPort
	}
	port, err := parsePort(text[colon+1:])
	if err != nil {
		return target{}, err
	}
	host := text[:colon]
	if inner, ok := strings.CutPrefix(host, "["); ok {
		if host, ok = strings.CutSuffix(inner, "]"); !ok {
			return target{}, errHost
		}
	} else if strings.ContainsRune(host, ':') {
		return target{}, errHost
	}
	t, err := parseHost(host)
	t.port = port
	return t, err
}

func parsePort(text string) (uint16, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 || text[0] == '0' || text[0] == '+' {
		return 0, errPort
	}
	return uint16(port), nil
}

// profile maps a name as browsers do before a lookup (UTS #46): case, full-width letters and digits, other full stops,
// punycode. Allowed characters are checked afterwards.
var profile = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// parseHost reads an address or a name. Addresses have one form only: zones are refused, and so is every name that a C
// library could take for an address, such as 2130706433, 0x7f.1 or 0177.0.0.1 (inet_aton(3)).
func parseHost(text string) (target, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return literal(addr)
	}
	name, err := profile.ToASCII(text)
	if err != nil {
		return target{}, errHost
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if addr, err := netip.ParseAddr(name); err == nil && addr.Is4() { // written in other digits
		return literal(addr)
	}
	if !isName(name) || endsInNumber(name) {
		return target{}, errHost
	}
	if again, err := profile.ToASCII(name); err != nil || again != name {
		return target{}, errHost // made of invalid text: mapping it again would change it
	}
	return target{name: name}, nil
}

func literal(addr netip.Addr) (target, error) {
	if addr.Zone() != "" {
		return target{}, errHost
	}
	return target{addr: addr.Unmap()}, nil
}

// isName says whether name could be a host name: RFC 1123, and underscores.
func isName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// endsInNumber is the test by which URL parsers recognize an IPv4 address:
// https://url.spec.whatwg.org/#ends-in-a-number-checker.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
