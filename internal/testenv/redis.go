// Package testenv starts the servers that tests need: Redis, Redis Sentinel and Redis Cluster.
package testenv

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// RedisServer is a redis-server process that keeps nothing on disk unless its arguments say so. It must be used from
// the test's own goroutine.
type RedisServer struct {
	// Addr is its host:port; it stays the same across Stop and Start.
	Addr string

	tb      testing.TB
	command []string // what runs redis-server
	args    []string
	proc    *process
}

// Redis starts a redis-server with further command line arguments, such as "--requirepass", "secret", and returns when
// it answers. It is stopped when the test ends. A missing redis-server fails the test.
func Redis(tb testing.TB, args ...string) *RedisServer {
	tb.Helper()
	s := &RedisServer{Addr: freeAddr(tb), tb: tb, command: redisCommand}
	s.configure(args)
	return s
}

var redisCommand = []string{"redis-server"}

// configure starts the server for the first time.
func (s *RedisServer) configure(args []string) {
	s.tb.Helper()
	host, port, _ := net.SplitHostPort(s.Addr)
	s.args = append([]string{
		"--bind", host, "--port", port, "--dir", s.tb.TempDir(), "--save", "", "--appendonly", "no", "--protected-mode", "no",
	}, args...)
	s.tb.Cleanup(s.Stop)
	s.Start()
}

// Start starts the server again after Stop, at the same address and with what it has on disk, and returns when it
// answers.
func (s *RedisServer) Start() {
	s.tb.Helper()
	s.proc = start(s.tb, s.command, s.args)
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

// Do sends one inline command, such as "CONFIG SET maxmemory 1", and returns the first line of the reply as it stands
// on the wire, empty when there was none.
func (s *RedisServer) Do(command string) string { return do(s.Addr, command) }

// RedisReplica starts a replica of master and returns when it holds what master does.
func RedisReplica(tb testing.TB, master *RedisServer, args ...string) *RedisServer {
	tb.Helper()
	host, port, _ := net.SplitHostPort(master.Addr)
	s := Redis(tb, append([]string{"--replicaof", host + " " + port}, args...)...)
	s.proc.waitFor(tb, "a replica in step", func() bool { return master.Do("WAIT 1 100") == ":1" })
	return s
}

// RedisCluster starts a cluster of one node that owns every slot.
func RedisCluster(tb testing.TB) *RedisServer {
	tb.Helper()
	_, busPort, _ := net.SplitHostPort(freeAddr(tb))
	s := Redis(tb, "--cluster-enabled", "yes", "--cluster-port", busPort)
	if reply := s.Do("CLUSTER ADDSLOTSRANGE 0 16383"); reply != "+OK" {
		tb.Fatalf("testenv: give the node all slots: %q", reply)
	}
	s.proc.waitFor(tb, "a cluster that is up", func() bool {
		return s.Do("SET testenv 1") == "+OK"
	})
	return s
}

// RedisSentinel starts a Sentinel that watches master under the given name.
func RedisSentinel(tb testing.TB, master *RedisServer, name string) *RedisServer {
	tb.Helper()
	return RedisSentinels(tb, master, name, 1)[0]
}

// RedisSentinels starts n Sentinels that watch master under the given name and know each other. A master that does not
// answer for a second is down to a Sentinel, and fails over when most of them think so.
func RedisSentinels(tb testing.TB, master *RedisServer, name string, n int) []*RedisServer {
	tb.Helper()
	var all []*RedisServer
	for range n {
		all = append(all, startSentinel(tb, master.Addr, name, n/2+1))
	}
	for _, s := range all {
		s.proc.waitFor(tb, "Sentinels that can elect one of them", func() bool {
			return strings.HasPrefix(s.Do("SENTINEL CKQUORUM "+name), "+OK "+strconv.Itoa(n)+" usable")
		})
	}
	return all
}

// startSentinel starts a Sentinel with further lines of configuration.
func startSentinel(tb testing.TB, masterAddr, name string, quorum int, lines ...string) *RedisServer {
	tb.Helper()
	addr, dir := freeAddr(tb), tb.TempDir()
	config := filepath.Join(dir, "sentinel.conf")
	writeSentinelConfig(tb, config, dir, addr, masterAddr, name, quorum, lines...)
	s := &RedisServer{Addr: addr, tb: tb, command: redisCommand, args: []string{config, "--sentinel"}}
	tb.Cleanup(s.Stop)
	s.Start()
	return s
}
