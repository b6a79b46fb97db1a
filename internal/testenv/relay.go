package testenv

import (
	"io"
	"net"
	"testing"
	"time"
)

// SlowRelay passes on TCP connections to target, everything that comes back delay later than it came. It returns its
// own address and ends with the test.
func SlowRelay(tb testing.TB, target string, delay time.Duration) (addr string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("testenv: relay: %v", err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the end of the test
			}
			go relay(conn, target, delay)
		}
	}()
	return l.Addr().String()
}

// relay serves one connection until either side closes it.
func relay(conn net.Conn, target string, delay time.Duration) {
	defer conn.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, conn)
		_ = server.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		time.Sleep(delay)
		if _, err := conn.Write(buffer[:n]); err != nil {
			_ = server.Close()
			return
		}
	}
}
