package egress

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func FuzzRequestLinesAreReadInOneWay(f *testing.F) {
	for _, seed := range []string{"CONNECT a:1\n", "LOOKUP a\nrest", "\n", "A\x00 b\n", "CONNECT a:1 b\n", "CONNECT a\xff:1\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		worker, server := net.Pipe()
		go func() {
			_, _ = worker.Write(sent)
			_ = worker.Close()
		}()
		verb, argument, early, err := readRequest(server, time.Minute)
		_ = server.Close()
		if err != nil {
			return
		}
		if line := verb + " " + argument + "\n"; !strings.HasPrefix(string(sent), line+string(early)) {
			t.Errorf("%q is read as %q with %q after it", sent, line, early)
		}
		if strings.ContainsAny(verb+argument, "\n") || strings.Contains(argument, " ") {
			t.Errorf("%q is read as %q, %q", sent, verb, argument)
		}
	})
}

// A name below in-addr.arpa or ip6.arpa stands for one address or for none: never for another than the one that it spells.
func FuzzReversed(f *testing.F) {
	for _, name := range []string{"1.0.0.10.in-addr.arpa.", "10.in-addr.arpa", strings.Repeat("0.", 31) + "1.ip6.arpa", "x.example"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		addr, isReverse := reversed(name)
		if addr.IsValid() && !isReverse {
			t.Fatalf("%q is no such name, and stands for %s", name, addr)
		}
		if !addr.IsValid() {
			return
		}
		spelt, err := dns.ReverseAddr(addr.String())
		if err != nil || !strings.EqualFold(spelt, dns.Fqdn(strings.TrimSuffix(name, "."))) {
			t.Fatalf("%q stands for %s, which is spelt %q", name, addr, spelt)
		}
	})
}
