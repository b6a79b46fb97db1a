package testenv

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Network is a network namespace with one cable to this one, which can be cut. It needs root and the program ip (Debian:
// iproute2). It must be used from the test's own goroutine, and a process can have one at a time.
type Network struct {
	tb    testing.TB
	name  string // of the namespace; the far end of the cable has it too
	host  string // the address of the far end
	cable string // our end
}

// NewNetwork makes a network that is gone when the test ends.
func NewNetwork(tb testing.TB) *Network {
	tb.Helper()
	pid := os.Getpid()
	n := &Network{tb: tb, name: fmt.Sprintf("fn%d", pid), cable: fmt.Sprintf("fh%d", pid)}
	// A block of four addresses for each PID, so that the networks of two processes do not meet.
	block := fmt.Sprintf("10.%d.%d.%%d", 192+pid>>14&63, pid>>6&255)
	near, far := pid&63<<2+1, pid&63<<2+2
	n.host = fmt.Sprintf(block, far)
	n.ip("netns", "add", n.name)
	tb.Cleanup(func() { n.ip("netns", "delete", n.name) }) // and the cable with it
	n.ip("link", "add", n.cable, "type", "veth", "peer", "name", n.name, "netns", n.name)
	n.ip("address", "add", fmt.Sprintf(block+"/30", near), "dev", n.cable)
	n.ip("-n", n.name, "address", "add", n.host+"/30", "dev", n.name)
	n.ip("link", "set", n.cable, "up")
	n.Heal()
	return n
}

// Cut lets no packet through any more, and tells nobody.
func (n *Network) Cut() {
	n.tb.Helper()
	n.ip("-n", n.name, "link", "set", n.name, "down")
}

// Heal ends Cut.
func (n *Network) Heal() {
	n.tb.Helper()
	n.ip("-n", n.name, "link", "set", n.name, "up")
}

func (n *Network) ip(args ...string) {
	n.tb.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.tb.Fatalf("testenv: ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// Redis starts a redis-server at the far end of the cable; see Redis.
func (n *Network) Redis(args ...string) *RedisServer {
	n.tb.Helper()
	s := &RedisServer{Addr: net.JoinHostPort(n.host, "6379"), tb: n.tb, command: []string{"ip", "netns", "exec", n.name, "redis-server"}}
	s.configure(args)
	return s
}
