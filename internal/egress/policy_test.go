package egress

import (
	"net/netip"
	"testing"
)

func TestOneFormOfEachHost(t *testing.T) {
	for text, want := range map[string]string{
		"example.com:80":                "example.com:80",
		"EXAMPLE.com.:443":              "example.com:443",
		"under_score.example:1":         "under_score.example:1",
		"bücher.example:80":             "xn--bcher-kva.example:80",
		"ｅｘａｍｐｌｅ。com:80":                "example.com:80",
		"8.8.8.8:53":                    "8.8.8.8:53",
		"[::ffff:10.0.0.1]:80":          "10.0.0.1:80",
		"[2001:4860:4860::8888]:443":    "[2001:4860:4860::8888]:443",
		"１２７.0.0.1:80":                  "127.0.0.1:80",
		"①⓪.0.0.1:80":                   "10.0.0.1:80",
		"127。0。0。1:80":                  "127.0.0.1:80",
		"2130706433:80":                 "",
		"0x7f000001:80":                 "",
		"0x7f.1:80":                     "",
		"0177.0.0.1:80":                 "",
		"127.1:80":                      "",
		"127.0.0.01:80":                 "",
		"127.0.0.1.:80":                 "127.0.0.1:80",
		"127.0.0.1..:80":                "",
		"1.2.3.4.5:80":                  "",
		"example.0x1f:80":               "",
		"":                              "",
		":80":                           "",
		".:80":                          "",
		"example.com":                   "",
		"example.com:":                  "",
		"example.com:0":                 "",
		"example.com:080":               "",
		"example.com:+80":               "",
		"example.com:65536":             "",
		"example.com:8o":                "",
		"::1:80":                        "",
		"[::1:80":                       "",
		"[fe80::1%eth0]:80":             "",
		"[example.com]:80":              "example.com:80",
		"a..b:80":                       "",
		"-a.example:80":                 "",
		"a.example/:80":                 "",
		"user@example.com:80":           "",
		"exa\x00mple.com:80":            "",
		"example.com%00.evil:80":        "",
		"localhost:80@evil.example:443": "",
	} {
		got, err := parseTarget(text)
		if want == "" && err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
		if want != "" && (err != nil || got.String() != want) {
			t.Errorf("%q: got %s and %v, want %s", text, got, err, want)
		}
	}
}

func TestAddressesThatAreNotPublicAreKnown(t *testing.T) {
	for text, want := range map[string]Reason{
		"8.8.8.8": "", "1.1.1.1": "", "2606:4700:4700::1111": "", "64:ff9b::8.8.8.8": "", "2002:808:808::1": ReasonReserved,
		// Those that stand for a public one and lie themselves where nobody is.
		"::8.8.8.8": ReasonReserved, "::ffff:0:8.8.8.8": ReasonReserved, "::ffff:8.8.8.8": "", "1000::5efe:8.8.8.8": ReasonReserved,
		"::1:0:5efe:8.8.8.8": ReasonReserved, "fe80::5efe:8.8.8.8": ReasonLinkLocal, "fd00::5efe:8.8.8.8": ReasonPrivate, "2606:4700::5efe:8.8.8.8": "",
		"64:ff9b:1::8.8.8.8": ReasonReserved, "2001:0:808:808::": ReasonReserved, "2001:10::1": ReasonReserved, "2001:20::1": ReasonReserved,
		"2606:4700::100:5efe:10.0.0.1": ReasonPrivate, "2606:4700::300:5efe:10.0.0.1": ReasonPrivate, "64:ff9b::0.0.0.0": ReasonUnspecified,
		"fe80::1%eth0": ReasonLinkLocal, "2606:4700::1%eth0": "", "5f00::1": ReasonReserved, "100:0:0:1::1": ReasonReserved, "192.0.0.9": ReasonReserved,
		"10.1.2.3": ReasonPrivate, "172.16.0.1": ReasonPrivate, "172.32.0.1": "", "192.168.1.1": ReasonPrivate, "100.64.0.1": ReasonPrivate,
		"127.0.0.1": ReasonLoopback, "127.255.255.254": ReasonLoopback, "::1": ReasonLoopback,
		"169.254.169.254": ReasonMetadata, "168.63.129.16": ReasonMetadata, "100.100.100.200": ReasonMetadata, "fd00:ec2::254": ReasonMetadata,
		"169.254.1.1": ReasonLinkLocal, "fe80::1": ReasonLinkLocal,
		"0.0.0.0": ReasonUnspecified, "0.1.2.3": ReasonUnspecified, "::": ReasonUnspecified,
		"224.0.0.1": ReasonMulticast, "ff02::1": ReasonMulticast, "255.255.255.255": ReasonReserved, "240.0.0.1": ReasonReserved,
		"192.0.2.1": ReasonReserved, "198.51.100.1": ReasonReserved, "203.0.113.1": ReasonReserved, "198.18.0.1": ReasonReserved,
		"2001:db8::1": ReasonReserved, "3fff::1": ReasonReserved, "2001::1": ReasonReserved, "64:ff9b:1::1": ReasonReserved, "100::1": ReasonReserved,
		"fc00::1": ReasonPrivate, "fec0::1": ReasonPrivate, "4000::1": ReasonReserved,
		"::ffff:127.0.0.1": ReasonLoopback, "::127.0.0.1": ReasonLoopback, "::ffff:0:10.0.0.1": ReasonPrivate,
		"64:ff9b::169.254.169.254": ReasonMetadata, "64:ff9b::10.0.0.1": ReasonPrivate, "2002:a00:1::": ReasonPrivate, "2002:7f00:1::1": ReasonLoopback,
		"2606:4700::5efe:10.0.0.1": ReasonPrivate, "2606:4700::200:5efe:127.0.0.1": ReasonLoopback,
	} {
		if got := notPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestPolicies(t *testing.T) {
	own := netip.MustParseAddr("8.8.4.4")
	for _, row := range []struct {
		mode               Mode
		allow, deny        string
		target, resolvedTo string
		want               Reason
	}{
		{Public, "", "", "example.com:443", "8.8.8.8", ""},
		{Public, "", "", "example.com:25", "8.8.8.8", ReasonPort},
		{Public, "", "", "example.com:443", "10.0.0.1", ReasonPrivate},
		{Public, "", "", "example.com:443", "8.8.4.4", ReasonOwn},
		{Public, "", "example.com", "example.com:443", "8.8.8.8", ReasonRule},
		{Public, "", "*.example.com", "example.com:443", "8.8.8.8", ""},
		{Public, "", "*.example.com", "a.b.example.com:443", "8.8.8.8", ReasonRule},
		{Public, "", "*.example.com", "notexample.com:443", "8.8.8.8", ""},
		{Public, "", "8.8.0.0/16", "example.com:443", "8.8.8.8", ReasonRule},
		{Public, "", "8.8.0.0/16", "example.com:443", "64:ff9b::8.8.8.8", ReasonRule},
		{Public, "", "8.8.0.0/16:80", "example.com:443", "8.8.8.8", ""},
		{Public, "", "*:443", "example.com:443", "8.8.8.8", ReasonRule},
		{Public, "8.8.8.8", "8.8.8.8", "8.8.8.8:1", "8.8.8.8", ReasonRule},
		{Public, "10.0.0.0/8:80", "", "10.0.0.1:80", "10.0.0.1", ""},
		{Public, "10.0.0.0/8:80", "", "10.0.0.1:81", "10.0.0.1", ReasonPrivate},
		{Public, "10.0.0.0/8", "", "evil.example:80", "10.0.0.1", ""},
		{Public, "10.0.0.0/8", "", "evil.example:80", "64:ff9b::10.0.0.1", ReasonPrivate},
		{Public, "db.example", "", "db.example:80", "10.0.0.1", ""},
		{Public, "db.example", "", "db.example:80", "127.0.0.1", ""},
		{Public, "db.example", "", "db.example:80", "169.254.169.254", ReasonMetadata},
		{Public, "db.example", "", "db.example:80", "0.0.0.0", ReasonUnspecified},
		{Public, "*.example", "", "db.example:80", "10.0.0.1", ReasonPrivate},
		{Public, "*", "", "10.0.0.1:80", "10.0.0.1", ReasonPrivate},
		{Public, "mail.example:25", "", "mail.example:25", "8.8.8.8", ""},
		{Public, "169.254.169.254", "", "169.254.169.254:80", "169.254.169.254", ""},
		{Public, "[fd00::/8]:443", "", "[fd00::1]:443", "fd00::1", ""},
		{Public, "[fd00::/8]:443", "", "[fd00::1]:80", "fd00::1", ReasonPrivate},
		{Off, "", "", "example.com:443", "8.8.8.8", ReasonOff},
		{Off, "example.com", "", "example.com:443", "8.8.8.8", ""},
		{Off, "*.example.com", "", "a.example.com:443", "10.0.0.1", ReasonOff},
		{All, "", "", "10.0.0.1:25", "10.0.0.1", ""},
		{All, "", "169.254.0.0/16", "x.example:80", "169.254.169.254", ReasonRule},
		{All, "", "127.0.0.0/8", "[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", ReasonRule},
		{All, "", "10.0.0.0/8", "x.example:80", "64:ff9b:1:a00:0:100::", ReasonRule},
		{All, "", "10.0.0.0/8", "x.example:80", "64:ff9b:1:aa0a:0:1::", ReasonRule},
		{All, "", "10.0.0.0/8", "x.example:80", "2001:0:808:808::f5ff:fffe", ReasonRule},
		{All, "", "10.0.0.0/8", "x.example:80", "2001:0:a00:1::", ReasonRule},
		{All, "", "fe80::/10", "x.example:80", "fe80::1%eth0", ReasonRule},
		{All, "", "::ffff:10.0.0.0/104", "x.example:80", "10.0.0.1", ReasonRule},
		{Public, "::ffff:10.0.0.0/104", "", "x.example:80", "10.0.0.1", ""},
		{Public, "64:ff9b::/96", "", "x.example:80", "64:ff9b::8.8.8.8", ""},
		{Public, "64:ff9b::/96", "", "x.example:80", "64:ff9b::10.0.0.1", ReasonPrivate},
		{Public, "64:ff9b::/96,10.0.0.0/8", "", "x.example:80", "64:ff9b::10.0.0.1", ""},
		{Public, "64:ff9b::10.0.0.1", "", "x.example:80", "64:ff9b::10.0.0.1", ""},
		{Public, "", "", "x.example:80", "64:ff9b::8.8.4.4", ReasonOwn},
	} {
		target, err := parseTarget(row.target)
		if err != nil {
			t.Fatal(err)
		}
		policy := Policy{Mode: row.mode, Allow: rulesOf(t, row.allow), Deny: rulesOf(t, row.deny)}
		got := policy.check(target, netip.MustParseAddr(row.resolvedTo), func(addr netip.Addr) bool { return addr == own })
		if got != row.want {
			t.Errorf("%+v: got %q", row, got)
		}
	}
}

func rulesOf(t *testing.T, text string) []Rule {
	t.Helper()
	rules, err := ParseRules(text)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestRulesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, text := range []string{"a:b", "a:", "a:0", "a:70000", "10.0.0.0/33", "*.10.0.0.1", "a b", "*a.example", "http://a", "0x7f.1", "::ffff:10.0.0.0/90"} {
		if rules, err := ParseRules(text); err == nil {
			t.Errorf("%q is taken for %v", text, rules)
		}
	}
}

func TestNothingIsLookedUpThatCannotBeAllowed(t *testing.T) {
	target, err := parseTarget("example.com:443")
	if err != nil {
		t.Fatal(err)
	}
	for allow, want := range map[string]Reason{"": ReasonOff, "other.example": ReasonOff, "*.com": "", "10.0.0.0/8": "", "example.com:80": ReasonOff} {
		policy := Policy{Mode: Off, Allow: rulesOf(t, allow)}
		if got := policy.mayResolve(target); got != want {
			t.Errorf("%q: got %q, want %q", allow, got, want)
		}
	}
}

func FuzzTargetsHaveOneForm(f *testing.F) {
	for _, seed := range []string{"example.com:80", "[::1]:80", "①⓪.0.0.1:80", "0x7f.1:80", "a:1", "0\x910:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := parseTarget(text)
		if err != nil {
			return
		}
		if again, err := parseTarget(first.String()); err != nil || again != first {
			t.Errorf("%q became %s, which became %s, %v", text, first, again, err)
		}
	})
}
