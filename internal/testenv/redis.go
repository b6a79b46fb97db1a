// Package testenv starts the servers that tests need: Redis, Redis Sentinel and Redis Cluster.
package testenv

import (
	"net"
	"path/filepath"
	"testing"
)

// RedisServer is a redis-server process on the loopback interface that keeps nothing on disk. It must be used from the
// test's own goroutine.
type RedisServer struct {
	// Addr is its host:port; it stays the same across Stop and Start.
	Addr string

	tb   testing.TB
	args []string
	proc *process
}

// Redis starts a redis-server with further command line arguments, such as "--requirepass", "secret", and returns when
// it answers. It is stopped when the test ends. A missing redis-server fails the test.
func Redis(tb testing.TB, args ...string) *RedisServer {
	tb.Helper()
	addr := freeAddr(tb)
	host, port, _ := net.SplitHostPort(addr)
	s := &RedisServer{Addr: addr, tb: tb, args: append([]string{
		"--bind", host, "--port", port, "--dir", tb.TempDir(), "--save", "", "--appendonly", "no",
	}, args...)}
	tb.Cleanup(s.Stop)
	s.Start()
	return s
}

// Start starts the server again after Stop, empty and at the same address, and returns when it answers.
func (s *RedisServer) Start() {
	s.tb.Helper()
	s.proc = start(s.tb, s.args...)
	s.proc.waitFor(s.tb, "an answer at "+s.Addr, func() bool { return answers(s.Addr) })
}

// Stop ends the server and returns when its process is gone. A second Stop does nothing.
func (s *RedisServer) Stop() {
	s.tb.Helper()
	s.proc.stop(s.tb)
}

// Pause freezes the server until Resume: its connections stay open and nothing is answered.
func (s *RedisServer) Pause() {
	s.tb.Helper()
	s.proc.pause(s.tb)
}

// Resume ends Pause.
func (s *RedisServer) Resume() {
	s.tb.Helper()
	s.proc.resume(s.tb)
}

// RedisCluster starts a cluster of one node that owns every slot.
func RedisCluster(tb testing.TB) *RedisServer {
	tb.Helper()
	_, busPort, _ := net.SplitHostPort(freeAddr(tb))
	s := Redis(tb, "--cluster-enabled", "yes", "--cluster-port", busPort)
	if reply := command(s.Addr, "CLUSTER ADDSLOTSRANGE 0 16383"); reply != "+OK" {
		tb.Fatalf("testenv: give the node all slots: %q", reply)
	}
	s.proc.waitFor(tb, "a cluster that is up", func() bool {
		return command(s.Addr, "SET testenv 1") == "+OK"
	})
	return s
}

// RedisSentinel starts a Sentinel that watches master under the given name.
func RedisSentinel(tb testing.TB, master *RedisServer, name string) *RedisServer {
	tb.Helper()
	addr, dir := freeAddr(tb), tb.TempDir()
	config := filepath.Join(dir, "sentinel.conf")
	writeSentinelConfig(tb, config, dir, addr, master.Addr, name)
	s := &RedisServer{Addr: addr, tb: tb, args: []string{config, "--sentinel"}}
	tb.Cleanup(s.Stop)
	s.Start()
	return s
}
