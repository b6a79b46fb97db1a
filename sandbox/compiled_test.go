package sandbox

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// compiler serves every call and notes what it was given. outcome is that of compilations.
type compiler struct {
	outcome func() (*Result, error)

	mu       sync.Mutex // guards the fields below
	given    []string   // the cache of each call that runs
	compiled []string   // the keys of the calls that compile
	loads    []bool     // Web and Once of each of them
}

func (k *compiler) serve(c *fakeChild, inv *Invocation) (*Result, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if inv.Kind == compile {
		k.compiled = append(k.compiled, inv.Key)
		k.loads = append(k.loads, inv.Web, inv.Once)
		result, err := k.outcome()
		return result, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k.given = append(k.given, c.cache)
	return &Result{Status: 200}, true, nil
}

// largeCall is a call whose code is kept compiled.
func largeCall(key, code string) *Invocation {
	inv := invocation(key, code)
	inv.Compiled = new(Compiled)
	return inv
}

// fresh makes n calls of inv, each in a worker of its own, and returns what these were given.
func (k *compiler) fresh(t *testing.T, pool *runtimePool, n int, inv *Invocation) []string {
	t.Helper()
	k.given = nil
	for range n {
		inv.MaxInvocations = 1
		answered(t, pool, inv)
		synctest.Wait()
	}
	return k.given
}

func compiles(body string) func() (*Result, error) {
	return func() (*Result, error) { return &Result{Status: 200, Body: []byte(body)}, nil }
}

func TestLargeCodeIsCompiledOnceForAllLaterWorkers(t *testing.T) {
	large := strings.Repeat("x", largeCode)
	most := `"` + strings.Repeat("A", 4*largeCode+64<<10-2) + `"`
	for _, row := range []struct {
		name    string
		code    string
		outcome func() (*Result, error)
		given   []string
		compile int
	}{
		{"large", large, compiles(`"QQ=="`), []string{"", "", `"QQ=="`, `"QQ=="`}, 1},
		{"small", large[1:], compiles(`"QQ=="`), []string{"", "", "", ""}, 0},
		{"does not fit into a frame", large, compiles(""), []string{"", "", "", ""}, 1},
		{"as much as is kept", large, compiles(most), []string{"", "", most, most}, 1},
		{"more than is kept", large, compiles(`"A` + most[1:]), []string{"", "", "", ""}, 1},
		{"no text", large, compiles(`{"a":1}`), []string{"", "", "", ""}, 1},
		{"the compiler dies", large, func() (*Result, error) { return nil, &DeathError{Reason: ReasonDeadline} }, []string{"", "", "", ""}, 1},
		{"the compiler is killed", large, func() (*Result, error) { return nil, &DeathError{Reason: ReasonSignal} }, []string{"", "", "", ""}, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := &compiler{outcome: row.outcome}
			pool := fakePool(t, fakeConfig(4, 2), &fakeStarter{serve: k.serve})
			inv, kept := largeCall("a/f", row.code), 0
			inv.Compiled.Kept = func(bytes int) { kept += bytes }
			if got := k.fresh(t, pool, 4, inv); !slices.Equal(got, row.given) {
				t.Errorf("%s: workers were given %.99q, want %.99q", row.name, got, row.given)
			}
			if kept != len(row.given[3]) {
				t.Errorf("%s: %d bytes were said to be kept", row.name, kept)
			}
			if len(k.compiled) != row.compile {
				t.Errorf("%s: compiled %q", row.name, k.compiled)
			}
			if got := k.fresh(t, pool, 1, largeCall("a/other", row.code)); got[0] != "" {
				t.Errorf("%s: another function's worker was given %q", row.name, got)
			}
		})
	}
}

func TestCodeThatIsOnlyCheckedWarmOrNotKeptIsNotCompiled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &compiler{outcome: compiles(`"QQ=="`)}
		pool := fakePool(t, fakeConfig(4, 2), &fakeStarter{serve: k.serve})
		inv := largeCall("a/f", strings.Repeat("x", largeCode))
		k.fresh(t, pool, 5, invocation("a/h", inv.Code))
		for range 5 {
			answered(t, pool, inv)
		}
		check := largeCall("a/g", inv.Code)
		check.Kind = Check
		for range 5 {
			check.MaxInvocations = 1
			answered(t, pool, check)
		}
		synctest.Wait()
		if len(k.compiled) > 0 {
			t.Errorf("compiled %q", k.compiled)
		}
	})
}

// What is compiled must be loaded in the same way as what it is for.
func TestCodeIsCompiledAsItIsLoaded(t *testing.T) {
	for _, want := range [][]bool{{false, false}, {true, false}, {false, true}} {
		synctest.Test(t, func(t *testing.T) {
			k := &compiler{outcome: compiles(`"QQ=="`)}
			pool := fakePool(t, fakeConfig(4, 2), &fakeStarter{serve: k.serve})
			inv := largeCall("a/f", strings.Repeat("x", largeCode))
			inv.Web, inv.Once = want[0], want[1]
			k.fresh(t, pool, 3, inv)
			if !slices.Equal(k.loads, want) {
				t.Errorf("web and once are %v, want %v", k.loads, want)
			}
		})
	}
}

// Where no worker is free in time, the code is compiled another time.
func TestAPoolThatIsBusyCompilesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &compiler{outcome: compiles(`"QQ=="`)}
		cfg := fakeConfig(1, 1)
		cfg.QueueSize = 0
		pool := fakePool(t, cfg, &fakeStarter{serve: func(c *fakeChild, inv *Invocation) (*Result, bool, error) {
			synctest.Wait() // the compilation is refused while this call has the only worker
			return k.serve(c, inv)
		}})
		inv := largeCall("a/f", strings.Repeat("x", largeCode))
		if got := k.fresh(t, pool, 4, inv); slices.ContainsFunc(got, func(cache string) bool { return cache != "" }) || len(k.compiled) > 0 {
			t.Errorf("workers were given %q, compiled %q", got, k.compiled)
		}
		inv.Compiled.mu.Lock()
		defer inv.Compiled.mu.Unlock()
		if inv.Compiled.loads >= compiledAt {
			t.Error("it will never be compiled")
		}
	})
}
