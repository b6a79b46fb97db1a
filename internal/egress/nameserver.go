package egress

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// Error codes of c-ares, which Node.js uses for name servers.
const (
	codeNoData   = "ENODATA"
	codeBadName  = "EBADNAME"
	codeBadReply = "EBADRESP"
	codeTimeout  = "ETIMEOUT"
	codeNoServer = "ECONNREFUSED"
)

// rcodes are the codes of c-ares for replies of a name server.
var rcodes = map[int]string{
	dns.RcodeNameError: codeNotFound, dns.RcodeRefused: "EREFUSED", dns.RcodeFormatError: "EFORMERR",
	dns.RcodeNotImplemented: "ENOTIMP",
}

const (
	// resolvConf is where the system names its name servers, resolvAge how long its content is cached.
	resolvConf = "/etc/resolv.conf"
	resolvAge  = 5 * time.Second
	// udpSize is the largest answer over UDP, a size that passes everywhere; a larger one comes over TCP.
	udpSize = 1232
)

// nameServers queries name servers. It is safe for concurrent use.
type nameServers struct {
	fixed []string // host:port of each; without any those of the system

	mu    sync.Mutex // guards the fields below
	known []string
	read  time.Time
}

// list returns the servers to query, in order.
func (n *nameServers) list() []string {
	if len(n.fixed) > 0 {
		return n.fixed
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.read) < resolvAge {
		return n.known
	}
	n.known, n.read = []string{"127.0.0.1:53", "[::1]:53"}, time.Now() // resolv.conf(5): the default
	if conf, err := dns.ClientConfigFromFile(resolvConf); err == nil && len(conf.Servers) > 0 {
		n.known = nil
		for _, server := range conf.Servers {
			n.known = append(n.known, net.JoinHostPort(server, conf.Port))
		}
	}
	return n.known
}

// ask queries the records of a name: each server in turn, twice, until one answers. They share the time that ctx has
// left. If there are no records, the error is a code of c-ares.
func (n *nameServers) ask(ctx context.Context, name string, kind uint16) ([]dns.RR, string) {
	servers := n.list()
	tries := 2 * len(servers)
	code := codeNoServer
	for i := range tries {
		reply, err := askOne(ctx, servers[i%len(servers)], name, kind, tries-i)
		switch {
		case err != nil:
			code = exchangeCode(err)
		case reply.Rcode == dns.RcodeSuccess:
			return reply.Answer, ""
		case reply.Rcode == dns.RcodeNameError:
			return nil, codeNotFound
		default:
			if code = rcodes[reply.Rcode]; code == "" {
				code = "ESERVFAIL"
			}
		}
		if ctx.Err() != nil {
			return nil, codeTimeout
		}
	}
	return nil, code
}

// askOne queries one server, for its share of the time.
func askOne(ctx context.Context, server, name string, kind uint16, shares int) (*dns.Msg, error) {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(shares))
	defer cancel()
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	query.SetEdns0(udpSize, false)
	reply, err := exchange(ctx, "udp", query, server)
	if err == nil && reply.Rcode == dns.RcodeFormatError { // an old server without EDNS
		query.Extra = nil
		reply, err = exchange(ctx, "udp", query, server)
	}
	if err == nil && reply.Truncated {
		reply, err = exchange(ctx, "tcp", query, server)
	}
	return reply, err
}

var errOtherQuestion = errors.New("the answer is to another question")

func exchange(ctx context.Context, network string, query *dns.Msg, server string) (*dns.Msg, error) {
	client := &dns.Client{Net: network, UDPSize: udpSize}
	if deadline, ok := ctx.Deadline(); ok {
		client.Timeout = time.Until(deadline)
	}
	reply, _, err := client.ExchangeContext(ctx, query, server)
	if err != nil {
		return nil, err
	}
	asked := query.Question[0]
	if len(reply.Question) != 1 {
		return nil, errOtherQuestion
	}
	if got := reply.Question[0]; got.Qtype != asked.Qtype || !strings.EqualFold(got.Name, asked.Name) {
		return nil, errOtherQuestion
	}
	return reply, nil
}

// exchangeCode is the error code of c-ares.
func exchangeCode(err error) string {
	var failed net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &failed) && failed.Timeout():
		return codeTimeout
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return codeNoServer
	default:
		return codeBadReply
	}
}
