package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// numberedAfter answers with the number that it was called with, after so many milliseconds.
const numberedAfter = `function main(req, res) { setTimeout(function () { res.send({ n: req.body.n }); }, %d); }`

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
