//go:build linux

package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// crowd makes n calls of key by so many callers at once. Each call has its number as body.
func crowd(t *testing.T, pool *sandbox.Pool, key, code string, callers, n int, check func(i int, logs []string, result *sandbox.Result, err error)) {
	t.Helper()
	numbers := make(chan int)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := range numbers {
				inv := invocation(key, code)
				inv.Request.Body = json.RawMessage(fmt.Sprint(i))
				var logs []string
				inv.OnLog = func(line sandbox.LogLine) { logs = append(logs, line.Text) }
				result, err := pool.Invoke(context.Background(), inv)
				check(i, logs, result, err)
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	all.Wait()
}

func TestCrowdsOfShortCallsGetEachItsOwn(t *testing.T) {
	pool := newRealPool(t, nil)
	crowd(t, pool, "echo", `function main(req, res) { console.log(req.body); res.send(req.body * 2) }`, 64, 5000,
		func(i int, logs []string, result *sandbox.Result, err error) {
			if err != nil || string(result.Body) != fmt.Sprint(2*i) || len(logs) != 1 || logs[0] != fmt.Sprint(i) {
				t.Errorf("call %d printed %q: %v, %v", i, logs, result, err)
			}
		})
}

// Few calls wait, leave work behind, loop or run out of memory: whatever was sent together with them is served, once.
func TestCallsSentTogetherWithBadOnesAreServed(t *testing.T) {
	for name, row := range map[string]struct {
		bad    string
		reason sandbox.Reason // empty: the bad call is answered too
		change func(*sandbox.Config)
	}{
		"waiting":    {`return void setTimeout(() => res.send(req.body * 2), 20)`, "", nil},
		"leaving":    {`setTimeout(() => {}, 1e6)`, "", nil},
		"throwing":   {`return void setTimeout(() => { throw new Error('late') }, 1)`, "", nil},
		"looping":    {`for (;;);`, sandbox.ReasonSyncDeadline, loopsEnd},
		"exhausting": {`const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))`, sandbox.ReasonMemory, patiently},
	} {
		t.Run(name, func(t *testing.T) {
			pool := newRealPool(t, row.change)
			code := `function main(req, res) { console.log(req.body); if (req.body % 400 === 399) { ` + row.bad + ` } res.send(req.body * 2) }`
			crowd(t, pool, "bad "+name, code, 32, 2000, func(i int, logs []string, result *sandbox.Result, err error) {
				isBad := i%400 == 399
				switch {
				case isBad && row.reason != "":
					wantDeath(t, name, err, row.reason)
				case isBad && name == "throwing":
					if err == nil || !strings.Contains(err.Error(), "late") {
						t.Errorf("call %d: %v, %v", i, result, err)
					}
				case err != nil || string(result.Body) != fmt.Sprint(2*i):
					t.Errorf("call %d: %v, %v", i, result, err)
				}
				lines := 1
				if isBad && name == "leaving" {
					lines = 2 // it is told what was cut
				}
				if len(logs) != lines || logs[0] != fmt.Sprint(i) {
					t.Errorf("call %d printed %q: it was not made once", i, logs)
				}
			})
		})
	}
}

// A call that loops is killed while answers to those before it may still have to be read, and those behind it have not
// begun: each call leaves its number in a file once, whatever becomes of it. Some callers read slowly.
func TestCallsSentTogetherAreMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls")
	pool := newRealPool(t, func(c *sandbox.Config) {
		loopsEnd(c)
		c.Isolation, c.Modules = sandbox.IsolationNone, append(c.Modules, "fs")
	})
	code := fmt.Sprintf(`const fs = require('fs');
		function main(req, res) {
			fs.appendFileSync(%q, req.body + '\n');
			if (req.body %% 150 === 149) for (;;);
			console.log(req.body);
			res.send(req.body * 2);
		}`, path)
	const n = 3000
	var all sync.WaitGroup
	for caller := range 32 {
		all.Go(func() {
			for i := caller; i < n; i += 32 {
				inv := invocation("once", code)
				inv.Request.Body = json.RawMessage(fmt.Sprint(i))
				inv.OnLog = func(sandbox.LogLine) {
					if i%30 == 0 {
						time.Sleep(300 * time.Millisecond) // this is the slowness that is tested
					}
				}
				result, err := pool.Invoke(context.Background(), inv)
				switch {
				case i%150 == 149:
					wantDeath(t, "a loop", err, sandbox.ReasonSyncDeadline)
				case err != nil || string(result.Body) != fmt.Sprint(2*i):
					t.Errorf("call %d: %v, %v", i, result, err)
				}
			}
		})
	}
	all.Wait()
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for line := range strings.Lines(string(made)) {
		times[strings.TrimSpace(line)]++
	}
	for i := range n {
		if times[fmt.Sprint(i)] != 1 {
			t.Errorf("call %d was made %d times", i, times[fmt.Sprint(i)])
		}
	}
}

// Callers who hang up take nobody with them.
func TestCanceledCallsHitNobodyBehindThem(t *testing.T) {
	pool := newRealPool(t, nil)
	var all sync.WaitGroup
	for caller := range 32 {
		all.Go(func() {
			for i := caller; i < 4000; i += 32 {
				ctx, cancel := context.WithCancel(context.Background())
				if i%5 == 0 {
					cancel()
				}
				inv := invocation("cancel", `function main(req, res) { res.send(req.body * 2) }`)
				inv.Request.Body = json.RawMessage(fmt.Sprint(i))
				result, err := pool.Invoke(ctx, inv)
				cancel()
				if i%5 != 0 && (err != nil || string(result.Body) != fmt.Sprint(2*i)) {
					t.Errorf("call %d: %v, %v", i, result, err)
				}
			}
		})
	}
	all.Wait()
}
