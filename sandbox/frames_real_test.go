//go:build linux

package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// directly lets the real runner run without the fork server: from a directory where the addon is missing.
func directly(tb testing.TB) func(*sandbox.Config) {
	dir := tb.TempDir()
	return func(c *sandbox.Config) {
		from := filepath.Dir(c.Runner)
		entries, err := os.ReadDir(from)
		if err != nil {
			tb.Fatal(err)
		}
		for _, entry := range entries {
			if entry.Name() == "build" {
				continue
			}
			if err := os.Symlink(filepath.Join(from, entry.Name()), filepath.Join(dir, entry.Name())); err != nil {
				tb.Fatal(err)
			}
		}
		c.Runner = filepath.Join(dir, "main.js")
		c.Isolation = sandbox.IsolationNone // a jail shows no links
	}
}

func TestLargeFramesPassBothWays(t *testing.T) {
	for name, change := range map[string]func(*sandbox.Config){"forked": one, "started directly": directly(t)} {
		pool := newRealPool(t, change)
		for _, size := range []int{1 << 10, 64 << 10, 1 << 20, 7 << 20} {
			inv := invocation("echo", `function main(req, res) { res.send(req.body) }`)
			inv.Request.Body = json.RawMessage(`"` + strings.Repeat("x", size) + `"`)
			result, err := pool.Invoke(t.Context(), inv)
			if err != nil || string(result.Body) != string(inv.Request.Body) {
				t.Errorf("%s: %d bytes: %v", name, size, err)
			}
		}
	}
}

func TestCallThatFitsNoFrameIsTooLarge(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.Limits.Frame = 64 << 10 })
	big := strings.Repeat("x", 40<<10)
	echo := invocation("echo", `function main(req, res) { res.send(req.body.length) } // `+big)
	for round := range 2 { // the first call of a worker carries the code too, in a frame of its own
		echo.Request.Body = json.RawMessage(`"` + big + `"`)
		if result, err := pool.Invoke(t.Context(), echo); err != nil || string(result.Body) != fmt.Sprint(len(big)) {
			t.Errorf("round %d, code and body of 40 KiB each: %+v, %v", round, result, err)
		}
		echo.Request.Body = json.RawMessage(`"` + big + big + `"`)
		if _, err := pool.Invoke(t.Context(), echo); !errors.Is(err, sandbox.ErrTooLarge) {
			t.Errorf("round %d, a body of 80 KiB: %v", round, err)
		}
	}
	if _, err := pool.Invoke(t.Context(), invocation("long", "function main() {} //"+big+big)); !errors.Is(err, sandbox.ErrTooLarge) {
		t.Errorf("code of 80 KiB: %v", err)
	}
	if start := invoke(t, pool, "next", `function main(req, res) { res.send(1) }`, `1`); start == sandbox.StartWarm {
		t.Error("a new function found a warm worker")
	}
}

func TestAnswerThatFitsNoFrameIsAnOutputLimit(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.Limits.Answer = 64 << 10 })
	inv := invocation("big", `function main(req, res) { res.send('x'.repeat(req.body)) }`)
	for _, size := range []string{"100", "70000", "1000", "64000", "65536", "1000000", "1"} {
		inv.Request.Body = json.RawMessage(size)
		result, err := pool.Invoke(t.Context(), inv)
		if len(size) >= 5 && size != "64000" {
			if death := wantDeath(t, size, err, sandbox.ReasonOutput); !strings.Contains(death.Detail, "65536 are allowed") ||
				death.Answer < 65536 || death.Allowed != 65536 || death.OfError {
				t.Errorf("%s: %+v", size, death)
			}
		} else if err != nil {
			t.Errorf("%s: %v", size, err)
		} else if size != "100" && result.Start != sandbox.StartWarm {
			t.Errorf("%s: the worker was not used again", size)
		}
	}
}

// A call may carry more than a function may answer, and the other way round.
func TestCallsAndAnswersHaveLimitsOfTheirOwn(t *testing.T) {
	body := json.RawMessage(`"` + strings.Repeat("x", 200<<10) + `"`)
	for name, limits := range map[string]func(*sandbox.Limits){
		"small answers": func(l *sandbox.Limits) { l.Answer = 64 << 10 },
		"small calls":   func(l *sandbox.Limits) { l.Frame = 64 << 10 },
	} {
		pool := newRealPool(t, func(c *sandbox.Config) { one(c); limits(&c.Limits) })
		count := invocation("count", `function main(req, res) { res.send(req.body.length) }`)
		count.Request.Body = body
		_, err := pool.Invoke(t.Context(), count)
		if small := name == "small calls"; errors.Is(err, sandbox.ErrTooLarge) != small || !small && err != nil {
			t.Errorf("%s: a call of 200 KiB: %v", name, err)
		}
		_, err = pool.Invoke(t.Context(), invocation("long", `function main(req, res) { res.send('x'.repeat(200 << 10)) }`))
		if small := name == "small answers"; (err != nil) != small {
			t.Errorf("%s: an answer of 200 KiB: %v", name, err)
		}
	}
}

func TestLargeErrorIsToldFromALargeAnswer(t *testing.T) {
	pool := newRealPool(t, one)
	_, err := pool.Invoke(t.Context(), invocation("thrown", `function main() { throw new Error('x'.repeat(2 << 20)) }`))
	if death := wantDeath(t, "thrown", err, sandbox.ReasonOutput); !death.OfError || death.Allowed != 1<<20 || death.Answer <= 2<<20 {
		t.Errorf("%+v", death)
	}
}
