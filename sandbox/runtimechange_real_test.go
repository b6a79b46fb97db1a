//go:build linux

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestRuntimesComeAndGoWhileCallsRun(t *testing.T) {
	pool := newRealPool(t, nil)
	first := pool.Runtimes()[0]
	if first.Name != "node8" || first.Version != "v8.17.0" {
		t.Fatalf("the first runtime is %+v", first)
	}
	version := func(runtime string) (string, error) {
		inv := invocation("version-"+runtime, `function main(req, res) { res.send(process.version) }`)
		inv.Runtime, inv.Web = runtime, true
		result, err := pool.Invoke(context.Background(), inv)
		if err != nil {
			return "", err
		}
		return string(result.Body), nil
	}
	for range 2 {
		if err := pool.Add(t.Context(), sandbox.Runtime{Name: "new", Node: version20.binary(t)}); err != nil {
			t.Fatal(err)
		}
		held := make(chan error, 1)
		begun := make(chan struct{})
		inv := invocation("held", `function main(req, res) { console.log('begun'); setTimeout(() => res.send(process.version), 1000) }`)
		inv.Runtime, inv.Web, inv.OnLog = "new", true, func(sandbox.LogLine) { close(begun) }
		go func() {
			result, err := pool.Invoke(context.Background(), inv)
			if err == nil && string(result.Body) != `"v20.20.2"` {
				err = fmt.Errorf("it ran on %s", result.Body)
			}
			held <- err
		}()
		<-begun
		if err := pool.Add(t.Context(), sandbox.Runtime{Name: "new", Node: version24.binary(t)}); err != nil {
			t.Fatal(err)
		}
		now := sandbox.Newest(pool.Runtimes())
		if got, err := version("new"); err != nil || got != `"`+now.Version+`"` || now.Major() != 24 {
			t.Errorf("what has taken its place is %s, %v, want %s", got, err, now.Version)
		}
		if err := <-held; err != nil {
			t.Errorf("the call that was in progress: %v", err)
		}
		if err := pool.Remove("new"); err != nil {
			t.Fatal(err)
		}
		if _, err := version("new"); !errors.Is(err, sandbox.ErrUnknownRuntime) {
			t.Errorf("a removed runtime: %v", err)
		}
	}
	if err := pool.Add(t.Context(), sandbox.Runtime{Name: "none", Node: "/bin/false"}); err == nil {
		t.Error("a program that is no Node.js was added")
	}
	if got, err := version(""); err != nil || got != `"v8.17.0"` {
		t.Errorf("the first runtime: %s, %v", got, err)
	}
}

func TestEachRuntimeHasItsModules(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) {
		c.Modules = []string{"lodash"}
		c.Runtimes = []sandbox.Runtime{
			{Name: "old", Node: oldest.binary(t)},
			{Name: "new", Node: version24.binary(t), Modules: []string{"uuid", "worker_threads"}},
		}
	})
	if err := pool.Add(t.Context(), sandbox.Runtime{Name: "none", Node: version20.binary(t), Modules: []string{}}); err != nil {
		t.Fatal(err)
	}
	for runtime, want := range map[string]string{
		"old":  `{"lodash":true,"uuid":false,"worker_threads":false}`,
		"new":  `{"lodash":false,"uuid":true,"worker_threads":true}`,
		"none": `{"lodash":false,"uuid":false,"worker_threads":false}`,
	} {
		inv := invocation("modules", `function main(req, res) {
			const found = {}
			for (const name of ['lodash', 'uuid', 'worker_threads']) try { found[name] = !!require(name) } catch (e) { found[name] = false }
			res.send(found)
		}`)
		inv.Key, inv.Runtime = runtime, runtime
		result, err := pool.Invoke(context.Background(), inv)
		if err != nil || string(result.Body) != want {
			t.Errorf("%s: %+v, %v, want %s", runtime, result, err, want)
		}
	}
}
