//go:build linux

package sandbox_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// A promise is one attack from inside a function and what must come of it. docs/isolation.md lists all of them.
type promise struct {
	name string
	// code is the function. With insider it gets `inside`, what an attacker has who is out of the language and has native
	// code.
	code    string
	insider bool
	web     bool // with web globals
	// One of the next three is how the attack must end: with this answer, with an error that holds this text, or with this
	// death.
	want  string
	fails string
	death sandbox.Reason
	or    sandbox.Reason // another death that is as good
	// then is the answer that the next call of the same function must get: the attack may not reach it. It has the body
	// `"next"`.
	then string
	// poisons leaves open how the attack itself ends: it may have broken its own answer.
	poisons bool
	// change makes deadlines and limits fit the attack. It alone has these deadlines.
	change func(*sandbox.Config)
}

// keep makes each attack on every version of Node.js. Attacks that need the same pool share one, with a neighbour on it
// who must not be harmed by any of them; the host is looked at before the pool and after it. Those that last until the
// deadline of their answer are made at once.
func keep(t *testing.T, promises []promise) {
	t.Helper()
	var runner string
	if slices.ContainsFunc(promises, func(p promise) bool { return p.insider }) {
		runner = insiderRunner(t)
	}
	onEveryVersion(t, func(t *testing.T, v version) {
		ownTempDir(t)
		for _, some := range byArena(t, promises) {
			change := some[0].change
			if some[0].insider {
				change = insider(runner, change)
			}
			before := lookAtHost(t)
			waiting, others := apart(some)
			pool := arena(t, v, func(c *sandbox.Config) {
				if change != nil {
					change(c)
				}
				c.SyncTimeout, c.AsyncTimeout = patience, patience // of the neighbour
				c.Size += len(waiting)
			})
			attackAtOnce(t, pool, waiting)
			for _, p := range others {
				t.Run(p.name, func(t *testing.T) {
					if calm := disturb(t, pool, func() { p.attack(t, pool) }); calm == 0 {
						t.Error("the neighbour got no answer during the attack")
					}
				})
			}
			hurry, cancel := context.WithCancel(context.Background())
			cancel() // what attacks have left may be at work until its deadline
			if err := pool.Shutdown(hurry); err != nil {
				t.Error(err)
			}
			before.compare(t)
		}
	})
}

// apart are the attacks that last until the deadline of their answer, and all others.
func apart(promises []promise) (waiting, others []promise) {
	for _, p := range promises {
		if p.death == sandbox.ReasonDeadline {
			waiting = append(waiting, p)
		} else {
			others = append(others, p)
		}
	}
	return waiting, others
}

// attackAtOnce makes attacks side by side.
func attackAtOnce(t *testing.T, pool *sandbox.Pool, promises []promise) {
	t.Helper()
	if len(promises) == 0 {
		return
	}
	results, errs := make([]*sandbox.Result, len(promises)), make([]error, len(promises))
	calm := disturb(t, pool, func() {
		var attacks sync.WaitGroup
		for i, p := range promises {
			attacks.Go(func() { results[i], errs[i] = pool.Invoke(t.Context(), p.invocation(t)) })
		}
		attacks.Wait()
	})
	if calm == 0 {
		t.Error("the neighbour got no answer during the attacks")
	}
	for i, p := range promises {
		t.Run(p.name, func(t *testing.T) { p.judge(t, results[i], errs[i]) })
	}
}

// byArena puts together the promises that need the same pool.
func byArena(t *testing.T, promises []promise) [][]promise {
	t.Helper()
	type needs struct {
		insider bool
		limits  sandbox.Limits
	}
	var all [][]promise
	places := map[needs]int{}
	for _, p := range promises {
		need := needs{p.insider, arenaConfig(t, oldest, p.change).Limits}
		place, found := places[need]
		if !found {
			place, places[need] = len(all), len(all)
			all = append(all, nil)
		}
		all[place] = append(all[place], p)
	}
	return all
}

// arena is a small pool of strict isolation with room for an attacker and its neighbour. It is closed with the test.
func arena(t *testing.T, v version, change func(*sandbox.Config)) *sandbox.Pool {
	t.Helper()
	pool, err := startPool(t, arenaConfig(t, v, change))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	awaitReady(t, pool)
	return pool
}

func arenaConfig(t *testing.T, v version, change func(*sandbox.Config)) sandbox.Config {
	t.Helper()
	cfg := realConfig(t)
	cfg.Node = v.binary(t)
	cfg.Size, cfg.Prewarmed = 3, 1
	cfg.SyncTimeout, cfg.AsyncTimeout = 10*time.Second, 30*time.Second // some attacks never answer
	if change != nil {
		change(&cfg)
	}
	return cfg
}

// insider gives functions what an attacker has who is out of the language, after another change where there is one.
func insider(runner string, change func(*sandbox.Config)) func(*sandbox.Config) {
	return func(c *sandbox.Config) {
		c.Runner, c.Modules = runner, []string{"inside"}
		if change != nil {
			change(c)
		}
	}
}

func (p promise) attack(t *testing.T, pool *sandbox.Pool) {
	t.Helper()
	inv := p.invocation(t)
	result, err := pool.Invoke(t.Context(), inv)
	p.judge(t, result, err)
	if p.then == "" {
		return
	}
	inv.Request.Body = []byte(`"next"`)
	result, err = pool.Invoke(t.Context(), inv)
	if err != nil || string(result.Body) != p.then {
		t.Errorf("the next call got %s, %v, want %s", bodyOf(result), err, p.then)
	}
}

// invocation is the attack, which has a worker of its own.
func (p promise) invocation(t *testing.T) *sandbox.Invocation {
	t.Helper()
	inv, cfg := invocation(p.name, p.code), arenaConfig(t, oldest, p.change)
	inv.Web, inv.SyncTimeout, inv.AsyncTimeout = p.web, cfg.SyncTimeout, cfg.AsyncTimeout
	if p.insider {
		inv.Code = "const inside = require('inside');" + p.code
	}
	return inv
}

// judge compares the end of an attack with the promise.
func (p promise) judge(t *testing.T, result *sandbox.Result, err error) {
	t.Helper()
	var death *sandbox.DeathError
	var failure *sandbox.FunctionError
	switch {
	case p.poisons:
	case p.death != "":
		if !errors.As(err, &death) || death.Reason != p.death && death.Reason != p.or {
			t.Errorf("got %s, %v, want death by %s", bodyOf(result), err, p.death)
		}
	case p.fails != "":
		if !errors.As(err, &failure) || !strings.Contains(failure.Text, p.fails) {
			t.Errorf("got %s, %v, want an error with %q", bodyOf(result), err, p.fails)
		}
	case err != nil || string(result.Body) != p.want:
		t.Errorf("got %s, %v, want %s", bodyOf(result), err, p.want)
	}
}

func bodyOf(result *sandbox.Result) string {
	if result == nil {
		return "no answer"
	}
	return string(result.Body)
}

// disturb calls a neighbour again and again while attack runs, and once more after it: each call must get its right
// answer. It returns how many were answered during the attack.
func disturb(t *testing.T, pool *sandbox.Pool, attack func()) (during int) {
	t.Helper()
	neighbour := func() {
		result, err := pool.Invoke(t.Context(), invocation("neighbour", `
			let calls = 0;
			function main(req, res) {
				calls++;
				res.send({ got: req.body, calls, same: require === relativeRequire ? 1 : 0, polluted: {}.polluted })
			}`))
		if err != nil || string(result.Body) != `{"got":{"x":1},"calls":1,"same":0}` {
			t.Errorf("the neighbour got %s, %v", bodyOf(result), err)
		}
	}
	neighbour()
	over, quiet := make(chan struct{}), make(chan struct{})
	first := make(chan struct{})
	go func() {
		defer close(quiet)
		for {
			neighbour()
			if during++; during == 1 {
				close(first)
			}
			select {
			case <-over:
				return
			case <-time.After(5 * time.Millisecond): // leaves the processors to the attacker
			}
		}
	}()
	attack()
	close(over)
	<-first
	<-quiet
	neighbour()
	return during
}
