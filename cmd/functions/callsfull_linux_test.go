package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// addLarge is add for a call that takes that many bytes more. It says whether the call was accepted.
func (a *accepted) addLarge(s *server, number, bytes int) bool {
	at := callAsync(s.url+"/functions/q/f/run", fmt.Sprintf(`{"n":%d,"x":%q}`, number, strings.Repeat("x", bytes)))
	if at != "" {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.all[at] = number
	}
	return at != ""
}

// fillUp makes calls until one is refused, and returns how many were not.
func (a *accepted) fillUp(t *testing.T, s *server, number int) int {
	t.Helper()
	for begin := number; ; number++ {
		if number-begin > 5000 {
			t.Fatal("5000 calls were accepted: the store is not full")
		}
		if !a.addLarge(s, number, 20_000) {
			return number
		}
	}
}

// TestAFullStoreRefusesCallsAndLosesNone fills each store while calls are made. What it has no room for is refused, what
// was accepted ends with the right answer, and once there is room calls are accepted again.
func TestAFullStoreRefusesCallsAndLosesNone(t *testing.T) {
	for name, begin := range map[string]func(*testing.T) (vars []string, makeRoom func()){
		"Redis":    fullRedis,
		"embedded": fullDisk,
	} {
		t.Run(name, func(t *testing.T) {
			vars, makeRoom := begin(t)
			s := startServer(t, append(vars, "CALLS_LEASE=2s", "CALLS_WORKERS=2")...)
			s.discardLogs()
			put(t, s.url+"/functions/q/f", fmt.Sprintf(numberedAfter, 20), `"retries":{"attempts":100,"backoff":"100ms"}`)
			calls := &accepted{all: map[string]int{}}
			number := calls.fillUp(t, s, 0)
			if number == 0 {
				t.Fatal("no call was accepted")
			}
			makeRoom()
			eventually(t, "a call to be accepted", func() bool {
				number++
				return calls.addLarge(s, number, 20_000)
			})
			eventually(t, "all calls to end", func() bool { return calls.left(t, s) == 0 })
			calls.check(t, s)
			t.Logf("%d calls were accepted, of %d", len(calls.all), number)
		})
	}
}

// fullRedis has room for few calls.
func fullRedis(t *testing.T) (vars []string, makeRoom func()) {
	t.Helper()
	redis := testenv.Redis(t, "--maxmemory", "6mb", "--maxmemory-policy", "noeviction")
	return []string{"REDIS_ENDPOINT=redis://" + redis.Addr}, func() {
		if reply := redis.Do("CONFIG SET maxmemory 0"); reply != "+OK" {
			t.Fatal(reply)
		}
	}
}

// fullDisk is a small file system, which needs root.
func fullDisk(t *testing.T) (vars []string, makeRoom func()) {
	t.Helper()
	dir := t.TempDir()
	mount := func(flags uintptr, size string) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, "mode=700,size="+size); err != nil {
			t.Fatalf("mount a small file system: %v", err)
		}
	}
	mount(0, "3m")
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return []string{"DATA_DIR=" + dir}, func() { mount(syscall.MS_REMOUNT, "64m") }
}

// TestAcceptedCallsSurviveAFailover ends the master of a Redis whose Sentinels make the replica the master, while calls
// run. What the replica had is not lost: here all that was accepted before.
func TestAcceptedCallsSurviveAFailover(t *testing.T) {
	master := testenv.Redis(t)
	replica := testenv.RedisReplica(t, master)
	endpoint := "sentinel://"
	for i, sentinel := range testenv.RedisSentinels(t, master, "main", 3) {
		if i > 0 {
			endpoint += ","
		}
		endpoint += sentinel.Addr
	}
	var servers []*server
	for range 2 {
		s := startServer(t, "REDIS_ENDPOINT="+endpoint+"/service_name:main", "CALLS_LEASE=2s", "POOL_SIZE=8", "POOL_ACTIVE=8")
		s.discardLogs()
		servers = append(servers, s)
	}
	put(t, servers[0].url+"/functions/q/f", fmt.Sprintf(numberedAfter, 100), `"retries":{"attempts":100,"backoff":"100ms"}`)
	calls, number := &accepted{all: map[string]int{}}, 0
	more := func(n int) {
		for range n {
			number++
			calls.add(servers[number%2], number)
		}
	}
	more(60)
	if reply := master.Do("SET before 1"); reply != "+OK" { // the replica gets it after all else
		t.Fatal(reply)
	}
	eventually(t, "a replica in step", func() bool { return replica.Do("EXISTS before") == ":1" })
	master.Stop()
	more(4) // are refused, or wait for the new master
	eventually(t, "the replica to be the master", func() bool { return replica.Do("SET testenv 1") == "+OK" })
	before := calls.count()
	eventually(t, "calls to be accepted by the new master", func() bool {
		more(2)
		return calls.count() >= before+20
	})
	eventually(t, "all calls to end", func() bool { return calls.left(t, servers[0]) == 0 })
	calls.check(t, servers[1])
	if before < 60 {
		t.Errorf("only %d calls were accepted before", before)
	}
	t.Logf("%d calls were accepted, of %d", len(calls.all), number)
}
