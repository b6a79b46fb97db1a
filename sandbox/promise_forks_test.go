//go:build linux

package sandbox_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// FUNCTIONS_TEST_FORKS makes the tests of many forks longer: 100000 for a long run.
func manyForks(t *testing.T, otherwise int) int {
	t.Helper()
	text := os.Getenv("FUNCTIONS_TEST_FORKS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fresh is a pool in which each call has a process of its own.
func fresh(t *testing.T, v version) *sandbox.Pool {
	t.Helper()
	return arena(t, v, func(c *sandbox.Config) { c.MaxInvocations, c.Size, c.Prewarmed = 1, 8, 4 })
}

// callMany makes n calls of code, a few at a time, and hands each answer to take, one after the other.
func callMany(t *testing.T, pool *sandbox.Pool, n int, code string, take func(body []byte)) {
	t.Helper()
	var calls sync.WaitGroup
	var mu sync.Mutex // guards take
	for caller := range 4 {
		calls.Go(func() {
			for i := caller; i < n; i += 4 {
				result, err := pool.Invoke(t.Context(), invocation("many", code))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				take(result.Body)
				mu.Unlock()
			}
		})
	}
	calls.Wait()
}

// atRest returns when the pool has its reserve of so many workers and nothing to do.
func atRest(t *testing.T, pool *sandbox.Pool, reserve int) {
	t.Helper()
	awaitStats(t, pool, "a pool at rest", func(s sandbox.PoolStats) bool {
		return s.Starting == 0 && s.Busy == 0 && s.Prewarmed == reserve
	})
}

func TestPromiseForksLeaveNothing(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		ownTempDir(t)
		before := lookAtHost(t)
		pool := fresh(t, v)
		const code = `function main(req, res) { res.send(1) }`
		callMany(t, pool, 100, code, func([]byte) {})
		zygote := zygoteOf(t)
		atRest(t, pool, 4)
		early, earlyOpen := residentKB(t, zygote), len(descriptors(t, zygote))
		callMany(t, pool, manyForks(t, 500), code, func([]byte) {})
		if zygoteOf(t) != zygote {
			t.Error("the zygote was replaced")
		}
		atRest(t, pool, 4)
		if late := residentKB(t, zygote); late > early+1024 {
			t.Errorf("the zygote grew from %d to %d kB", early, late)
		}
		for began := time.Now(); len(descriptors(t, zygote)) > earlyOpen; runtime.Gosched() { // a fork may be at its end
			if time.Since(began) > patience {
				t.Fatalf("the zygote has %d descriptors open, before %d", len(descriptors(t, zygote)), earlyOpen)
			}
		}
		if n := len(descendants(t, os.Getpid())); n > 1+2*8 {
			t.Errorf("%d processes live", n)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		before.compare(t)
	})
}

func TestPromiseForksAreUnlikeEachOther(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := fresh(t, v)
		defer pool.Close()
		const code = `function main(req, res) {
			const uuid = require('uuid');
			let host; require('lodash').template('<% give(Math.random()) %>')({ give: v => { host = v } });
			const v1 = uuid.v1();
			res.send({ random: String(Math.random()), host: String(host), v4: uuid.v4(), v1, node: v1.slice(19) }) }`
		n := manyForks(t, 500)
		seen := map[string]map[string]bool{}
		callMany(t, pool, n, code, func(body []byte) {
			var draws map[string]string
			if err := json.Unmarshal(body, &draws); err != nil {
				t.Fatal(err)
			}
			for name, draw := range draws {
				if seen[name] == nil {
					seen[name] = map[string]bool{}
				}
				if seen[name][draw] {
					t.Errorf("%s: %s was drawn twice", name, draw)
				}
				seen[name][draw] = true
			}
		})
		for name, draws := range seen {
			if len(draws) != n {
				t.Errorf("%s: %d different draws of %d", name, len(draws), n)
			}
		}
	})
}

// The fork server is built to stop at the first undefined behaviour; its workers die with it then.
func TestForkServerKeepsToTheLanguage(t *testing.T) {
	runner := insiderRunner(t)
	addon := filepath.Join(filepath.Dir(runner), "build", "zygote.node")
	compile(t, "../runner-js/native/zygote.c", addon, "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error", "-Wall", "-Wextra", "-Werror")
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, insider(runner, func(c *sandbox.Config) { c.MaxInvocations = 1 }))
		zygote := zygoteOf(t)
		callMany(t, pool, 100, `function main(req, res) { res.send(1) }`, func([]byte) {})
		if zygoteOf(t) != zygote {
			t.Error("the zygote ended")
		}
	})
}

// The fork server is built with AddressSanitizer, which ends it, or the worker, at the first access to memory that is
// not its own.
func TestForkServerKeepsToItsMemory(t *testing.T) {
	library, err := exec.Command("gcc", "-print-file-name=libasan.so").Output()
	if err != nil {
		t.Fatal(err)
	}
	pool := newRealPool(t, func(c *sandbox.Config) {
		c.Isolation, c.MaxInvocations = sandbox.IsolationNone, 1
		directly(t)(c) // the runner without its addon
		build := filepath.Join(filepath.Dir(c.Runner), "build")
		if err := os.Mkdir(build, 0o700); err != nil {
			t.Fatal(err)
		}
		compile(t, "../runner-js/native/zygote.c", filepath.Join(build, "zygote.node"), "-g", "-fsanitize=address")
		script := fmt.Sprintf("#!/bin/sh\nLD_PRELOAD=%s ASAN_OPTIONS=detect_leaks=0 exec %s \"$@\"\n", strings.TrimSpace(string(library)), c.Node)
		c.Node = filepath.Join(t.TempDir(), "node")
		if err := os.WriteFile(c.Node, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	})
	zygote := zygoteOf(t)
	maps, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(zygote), "maps"))
	if err != nil || !strings.Contains(string(maps), "libasan") {
		t.Fatalf("AddressSanitizer is not there: %v", err)
	}
	callMany(t, pool, 100, `function main(req, res) { res.send(1) }`, func([]byte) {})
	if zygoteOf(t) != zygote {
		t.Error("the zygote ended")
	}
}

func zygoteOf(t *testing.T) int {
	t.Helper()
	for _, pid := range descendants(t, os.Getpid()) {
		if statusOf(t, pid, "PPid") == strconv.Itoa(os.Getpid()) {
			return pid
		}
	}
	t.Fatal("there is no zygote")
	return 0
}

func residentKB(t *testing.T, pid int) int {
	t.Helper()
	kb, err := strconv.Atoi(strings.TrimSuffix(statusOf(t, pid, "VmRSS"), " kB"))
	if err != nil {
		t.Fatal(err)
	}
	return kb
}
