package testenv

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Network is a network namespace with cables to this one, each of which can be cut. It needs root and the program ip
// (Debian: iproute2). It must be used from the test's own goroutine, and a process can have one at a time.
type Network struct {
	tb    testing.TB
	name  string   // of the namespace
	hosts []string // the addresses at the far ends
}

// NewNetwork makes a network with up to eight cables, which is gone when the test ends.
func NewNetwork(tb testing.TB, cables int) *Network {
	tb.Helper()
	n := &Network{tb: tb, name: fmt.Sprintf("fn%d", os.Getpid())}
	n.ip("netns", "add", n.name)
	tb.Cleanup(func() { n.ip("netns", "delete", n.name) }) // and the cables with it
	for cable := range cables {
		n.lay(cable)
	}
	return n
}

// lay makes a cable. The addresses of its ends follow from the PID, so that the networks of two processes do not meet.
func (n *Network) lay(cable int) {
	n.tb.Helper()
	pid := os.Getpid()
	block := fmt.Sprintf("10.%d.%d.", 192+cable<<3+pid>>14&7, pid>>6&255)
	near, far := block+strconv.Itoa(pid&63<<2+1), block+strconv.Itoa(pid&63<<2+2)
	end := fmt.Sprintf("fn%d.%d", pid, cable)
	n.ip("link", "add", end, "type", "veth", "peer", "name", farEnd(cable), "netns", n.name)
	n.ip("address", "add", near+"/30", "dev", end)
	n.ip("-n", n.name, "address", "add", far+"/30", "dev", farEnd(cable))
	n.ip("link", "set", end, "up")
	n.hosts = append(n.hosts, far)
	n.Heal(cable)
}

func farEnd(cable int) string { return fmt.Sprintf("far%d", cable) }

// Cut lets no packet through a cable any more, and tells nobody.
func (n *Network) Cut(cable int) {
	n.tb.Helper()
	n.ip("-n", n.name, "link", "set", farEnd(cable), "down")
}

// Heal ends Cut.
func (n *Network) Heal(cable int) {
	n.tb.Helper()
	n.ip("-n", n.name, "link", "set", farEnd(cable), "up")
}

func (n *Network) ip(args ...string) {
	n.tb.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.tb.Fatalf("testenv: ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// Redis starts the redis-server of the network; see Redis. Its Addr is that at the end of the first cable.
func (n *Network) Redis(args ...string) *RedisServer {
	n.tb.Helper()
	s := &RedisServer{Addr: n.RedisAddr(0), tb: n.tb, command: []string{"ip", "netns", "exec", n.name, "redis-server"}}
	s.configure(append([]string{"--bind", "0.0.0.0"}, args...))
	return s
}

// RedisAddr is where the redis-server is reached through a cable.
func (n *Network) RedisAddr(cable int) string { return net.JoinHostPort(n.hosts[cable], "6379") }
