package invoke

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// limited is the function name, with limits of its own and of its namespace; below 0 stands for none given.
func limited(name string, own, ofNamespace int) function.Function {
	f := function.Function{Ref: ref(name), Code: "1"}
	if own >= 0 {
		f.Options.MaxConcurrency = &own
	}
	if ofNamespace >= 0 {
		f.Settings = &function.Namespace{Name: f.Namespace, MaxConcurrency: &ofNamespace}
	}
	return f
}

func TestCallsAboveALimitAreRefused(t *testing.T) {
	for _, row := range []struct {
		name      string
		server    Concurrency
		functions []function.Function // each is called ten times at once
		served    string              // how often each was
		refusal   string              // one of the refusals
	}{
		{"none", Concurrency{}, []function.Function{limited("a/1", -1, -1)}, "[10]", ""},
		{
			"the server's for owners",
			Concurrency{Namespace: 10},
			[]function.Function{limited("o+a/1", -1, -1), limited("o+b/1", -1, 0), limited("p/1", -1, -1)},
			"[10 0 10]",
			"namespaces of o have 10 calls at a time, which is their limit",
		},
		{
			"a namespace's own and its owner's",
			Concurrency{Namespace: 5},
			[]function.Function{limited("o+a/1", -1, 2), limited("o+b/1", -1, 9)},
			"[2 3]",
			"namespaces of o have 5 calls at a time, which is their limit",
		},
		{
			"the server's for functions",
			Concurrency{Function: 3},
			[]function.Function{limited("a/1", -1, -1), limited("a/2", -1, -1)},
			"[3 3]",
			"function a/2 has 3 calls at a time, which is its limit",
		},
		{
			"one at a time",
			Concurrency{Function: 1},
			[]function.Function{limited("a/1", -1, -1)},
			"[1]",
			"function a/1 has 1 call at a time, which is its limit",
		},
		{
			"the function's own is higher",
			Concurrency{Function: 3},
			[]function.Function{limited("a/1", 5, -1)},
			"[5]",
			"function a/1 has 5 calls at a time, which is its limit",
		},
		{
			"the function has taken its own back",
			Concurrency{Function: 3},
			[]function.Function{limited("a/1", 0, -1)},
			"[3]",
			"function a/1 has 3 calls at a time, which is its limit",
		},
		{
			"the server's for namespaces",
			Concurrency{Namespace: 4},
			[]function.Function{limited("a/1", -1, -1), limited("b/1", -1, -1)},
			"[4 4]",
			"namespaces of b have 4 calls at a time, which is their limit",
		},
		{
			"the namespace's own",
			Concurrency{},
			[]function.Function{limited("a/1", 9, 2), limited("b/1", -1, -1)},
			"[2 10]",
			"namespace a has 2 calls at a time, which is its limit",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := &fakePool{}
				served, refused := make([]int, len(row.functions)), map[string]int{}
				var mu sync.Mutex // guards served and refused
				v := New(Options{Pool: pool, Source: newSource(row.functions...), Concurrency: row.server, OwnerSeparator: "+", Refused: func(err error) {
					mu.Lock()
					defer mu.Unlock()
					refused[err.Error()]++
				}})
				for i, f := range row.functions {
					pool.does(f.Filename(), func(*sandbox.Invocation) (*sandbox.Result, error) {
						time.Sleep(time.Second)
						mu.Lock()
						defer mu.Unlock()
						served[i]++
						return &sandbox.Result{Status: 200}, nil
					})
				}
				round := func() {
					mu.Lock()
					clear(served)
					mu.Unlock()
					for _, f := range row.functions {
						for range 10 {
							go func() { _, _ = v.Run(t.Context(), Call{Ref: f.Ref}) }()
						}
						synctest.Wait() // those before come first
					}
					time.Sleep(2 * time.Second)
					synctest.Wait()
				}
				for range 2 { // the second time all have left
					round()
					mu.Lock()
					if got := fmt.Sprint(served); got != row.served {
						t.Errorf("served %s, want %s; refused %v", got, row.served, refused)
					}
					mu.Unlock()
				}
				mu.Lock()
				defer mu.Unlock()
				if row.refusal != "" && refused[row.refusal] == 0 || row.refusal == "" && len(refused) > 0 {
					t.Errorf("refused %v, want %q among them", refused, row.refusal)
				}
				if g := v.limiter; len(g.functions)+len(g.namespaces)+len(g.owners) > 0 {
					t.Errorf("nobody is there, but counted are %v, %v and %v", g.functions, g.namespaces, g.owners)
				}
			})
		})
	}
}

func TestRefusalAboveALimitTellsWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, f := &fakePool{}, limited("a/1", 2, -1)
		v := New(Options{Pool: pool, Source: newSource(f)})
		pool.does(f.Filename(), func(*sandbox.Invocation) (*sandbox.Result, error) {
			time.Sleep(9 * time.Second)
			return &sandbox.Result{Status: 200}, nil
		})
		run := func() error {
			_, err := v.Run(t.Context(), Call{Ref: f.Ref})
			return err
		}
		for i := range 20 { // two are there all the time
			go func() {
				time.Sleep(time.Duration(i) * 5 * time.Second)
				_ = run()
			}()
		}
		time.Sleep(92 * time.Second)
		var limit *LimitError
		if err := run(); !errors.As(err, &limit) || limit.RetryAfter != 4500*time.Millisecond {
			t.Errorf("got %+v", err)
		}
		time.Sleep(time.Minute)
	})
}

func TestLimitedPipelineStepEndsThePipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, f := &fakePool{}, limited("a/1", 1, -1)
		v := New(Options{Pool: pool, Source: newSource(f)})
		pool.does(f.Filename(), func(*sandbox.Invocation) (*sandbox.Result, error) {
			time.Sleep(time.Second)
			return &sandbox.Result{Status: 200}, nil
		})
		go func() { _, _ = v.Run(t.Context(), Call{Ref: f.Ref}) }()
		synctest.Wait()
		var limit *LimitError
		if _, err := v.Pipeline(t.Context(), []function.Ref{f.Ref}, Call{}); !errors.As(err, &limit) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
	})
}

func TestCallerThatLeavesEndsItsCallOnlyIfTold(t *testing.T) {
	for _, cancels := range []bool{false, true} {
		pool, f := &fakePool{}, limited("a/1", -1, -1)
		v := New(Options{Pool: pool, Source: newSource(f), CancelOnDisconnect: cancels})
		if _, err := v.Run(t.Context(), Call{Ref: f.Ref}); err != nil {
			t.Fatal(err)
		}
		if got := pool.seen()[0].Detached; got == cancels {
			t.Errorf("with CancelOnDisconnect %v the call is detached: %v", cancels, got)
		}
	}
}

func TestTrialRunsCountForTheNamespaceAndNotForTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := &fakePool{}
		v := New(Options{Pool: pool, Source: newSource(), Concurrency: Concurrency{Function: 1, Namespace: 3}})
		f := limited("a/1", -1, -1)
		pool.does(f.Filename(), func(*sandbox.Invocation) (*sandbox.Result, error) {
			time.Sleep(time.Second)
			return &sandbox.Result{Status: 200}, nil
		})
		for range 3 {
			go func() {
				if err := v.Check(t.Context(), &f); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		var limit *LimitError
		if err := v.Check(t.Context(), &f); !errors.As(err, &limit) || limit.Scope != ScopeNamespace {
			t.Errorf("a fourth trial run: %v", err)
		}
		time.Sleep(time.Minute)
		if err := v.Check(t.Context(), &f); err != nil {
			t.Errorf("once the others are over: %v", err)
		}
	})
}

func TestNamespacesOfOneOwnerShareAsOne(t *testing.T) {
	for _, row := range []struct{ separator, namespace, want string }{
		{"", "acme-shop", "acme-shop"}, {"-", "acme-shop", "acme"}, {"-", "acme-shop-two", "acme"}, {"-", "acme", "acme"}, {"--", "a-b--c", "a-b"},
	} {
		pool, f := &fakePool{}, limited(row.namespace+"/1", -1, -1)
		v := New(Options{Pool: pool, Source: newSource(f), OwnerSeparator: row.separator})
		if _, err := v.Run(t.Context(), Call{Ref: f.Ref}); err != nil {
			t.Fatal(err)
		}
		if err := v.Check(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
		for _, inv := range pool.seen() {
			if inv.Owner != row.want || inv.Group != row.namespace {
				t.Errorf("%+v: owner %s, group %s", row, inv.Owner, inv.Group)
			}
		}
	}
}
