package testenv

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// freeAddr returns a loopback address that nothing listens on at the moment.
func freeAddr(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("testenv: find a free port: %v", err)
	}
	defer l.Close()
	return l.Addr().String()
}

// answers says whether a server that is ready answers PING at addr; one that wants a password first counts as ready.
func answers(addr string) bool {
	reply := do(addr, "PING")
	return reply == "+PONG" || strings.HasPrefix(reply, "-NOAUTH")
}

// do sends one inline command (https://redis.io/docs/latest/develop/reference/protocol-spec/#inline-commands) and
// returns the first line of the reply, empty when there was none.
func do(addr, line string) string {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return ""
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", line); err != nil {
		return ""
	}
	reply, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(reply, "\r\n")
}

func writeSentinelConfig(tb testing.TB, path, dir, addr, masterAddr, name string, quorum int, lines ...string) {
	tb.Helper()
	host, port, _ := net.SplitHostPort(addr)
	masterHost, masterPort, _ := net.SplitHostPort(masterAddr)
	text := fmt.Sprintf("bind %s\nport %s\ndir %s\n", host, port, dir) +
		fmt.Sprintf("sentinel monitor %s %s %s %d\n", name, masterHost, masterPort, quorum) +
		fmt.Sprintf("sentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 5000\n", name, name) +
		strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatalf("testenv: configure sentinel: %v", err)
	}
}
