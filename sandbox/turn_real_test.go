package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

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
	pool := newRealPool(t, nil)
	for name, row := range map[string]struct {
		bad    string
		reason sandbox.Reason // empty: the bad call is answered too
	}{
		"waiting":    {`return void setTimeout(() => res.send(req.body * 2), 20)`, ""},
		"leaving":    {`setTimeout(() => {}, 1e6)`, ""},
		"throwing":   {`return void setTimeout(() => { throw new Error('late') }, 1)`, ""},
		"looping":    {`for (;;);`, sandbox.ReasonSyncDeadline},
		"exhausting": {`const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))`, sandbox.ReasonMemory},
	} {
		t.Run(name, func(t *testing.T) {
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
				if len(logs) != 1 || logs[0] != fmt.Sprint(i) {
					t.Errorf("call %d printed %q: it was not made once", i, logs)
				}
			})
		})
	}
}
