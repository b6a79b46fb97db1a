package egress_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// zone is a name server.
type zone struct {
	addr string
	mu   sync.Mutex // guards the fields below
	rrs  []dns.RR
	many int // questions so far
}

// newZone starts one with records as zone files have them, a line each.
func newZone(t *testing.T, records string) *zone {
	t.Helper()
	z := &zone{}
	parser := dns.NewZoneParser(strings.NewReader(records), ".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		z.rrs = append(z.rrs, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	packets, streams := listenBoth(t)
	z.addr = packets.LocalAddr().String()
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: z}, {Listener: streams, Handler: z}} {
		ready := make(chan struct{})
		server.NotifyStartedFunc = func() { close(ready) }
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = server.ActivateAndServe()
		}()
		<-ready
		t.Cleanup(func() {
			_ = server.Shutdown()
			<-done
		})
	}
	return z
}

// listenBoth listens on one port for packets and for connections: on one that is free for both.
func listenBoth(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, streams
		}
		if err := packets.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// ServeDNS implements dns.Handler.
func (z *zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.many++
	reply := new(dns.Msg).SetReply(query)
	asked := query.Question[0]
	switch first, _, _ := strings.Cut(asked.Name, "."); first {
	case "silent":
		return
	case "servfail":
		reply.Rcode = dns.RcodeServerFailure
	case "refused":
		reply.Rcode = dns.RcodeRefused
	default:
		z.fill(reply, asked)
	}
	if _, ok := w.LocalAddr().(*net.UDPAddr); ok {
		size := dns.MinMsgSize
		if opt := query.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		reply.Truncate(size)
	}
	_ = w.WriteMsg(reply)
}

func (z *zone) fill(reply *dns.Msg, asked dns.Question) {
	reply.Rcode = dns.RcodeNameError
	for name := asked.Name; name != ""; {
		next := ""
		for _, rr := range z.rrs {
			if !strings.EqualFold(rr.Header().Name, name) {
				continue
			}
			reply.Rcode = dns.RcodeSuccess
			alias, isAlias := rr.(*dns.CNAME)
			if rr.Header().Rrtype == asked.Qtype || asked.Qtype == dns.TypeANY || isAlias {
				reply.Answer = append(reply.Answer, rr)
			}
			if isAlias && asked.Qtype != dns.TypeCNAME && asked.Qtype != dns.TypeANY {
				next = alias.Target
			}
		}
		name = next
	}
}

func (z *zone) questions() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.many
}
