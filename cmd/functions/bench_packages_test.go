package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkPackages measures deploys of a function with 40 packages of docs/packages.md, those that they need included:
// the first one fetches them, the others find them on disk. Then it measures calls of an artefact of about a megabyte by
// workers that have not run it before, which read the code that was compiled at its deploy.
func BenchmarkPackages(b *testing.B) {
	for b.Loop() {
		names, lock := somePackages(b, 40)
		s := startBenched(b, append(outsideVariables(), runtimesVariable(b, "node24"), "NPM_REGISTRY="+npmRegistry(b),
			"CODE_SYNC_TIMEOUT=10000", "WORKER_MEMORY_LIMIT=512mb")...)
		files := map[string]string{"index.ts": entryOf(names), "package-lock.json": lock}
		count := fmt.Sprintf("deploy of %d packages", packagesIn(lock))
		benchmarks.note(b, count+", fetched", millis(s.deployFiles(b, "/functions/bench/packages", files)), "ms fetched")
		var took []time.Duration
		for i := range 9 {
			files["index.ts"] += fmt.Sprintf("// %d\n", i)
			took = append(took, s.deployFiles(b, "/functions/bench/packages", files))
		}
		slices.Sort(took)
		benchmarks.note(b, count+", from disk, p50", millis(took[len(took)/2]), "ms from disk")
		fresh := s.callsOfLarge(b)
		benchmarks.note(b, "call of 1 MB of code by a fresh worker, p50", millis(fresh[len(fresh)/2]), "ms fresh")
	}
}

// somePackages are the first packages of the page that make up at least so many with those that they need, and their
// lock file.
func somePackages(b *testing.B, least int) (names []string, lock string) {
	b.Helper()
	all, _ := readPackageLock(b)
	for _, row := range packageRows {
		names = append(names, row.name)
		if lock = all.of(names...); packagesIn(lock) >= least {
			break
		}
	}
	return names, lock
}

// packagesIn counts the packages of a lock file.
func packagesIn(lock string) int { return strings.Count(lock, `"integrity"`) }

// entryOf is a function that has all of the packages.
func entryOf(packages []string) string {
	var entry strings.Builder
	var used []string
	for i, name := range packages {
		fmt.Fprintf(&entry, "import * as p%d from %q;\n", i, name)
		used = append(used, fmt.Sprintf("p%d", i))
	}
	fmt.Fprintf(&entry, "export const main = (req: any, res: any) => res.send({ packages: [%s].length });\n", strings.Join(used, ", "))
	return entry.String()
}

// callsOfLarge deploys about a megabyte of code, gives each call a worker of its own, and returns how long calls take,
// sorted.
func (s *server) callsOfLarge(b *testing.B) (took []time.Duration) {
	b.Helper()
	var code strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&code, "function f%d(a, b) { const c = { a, b, n: %d }; return c.a > c.b ? [c, f%d] : JSON.stringify(c) }\n", i, i, i)
	}
	code.WriteString("function main(req, res) { res.send({ f: f8999(1, 2) }) }\n")
	put(b, s.url+"/functions/bench/large", code.String(), `"maxInvocations":1`)
	for range 30 {
		start := time.Now()
		r := send(http.DefaultClient, http.MethodPut, s.url+"/functions/bench/large/run", "{}")
		if r.err != nil || r.status != http.StatusOK {
			b.Fatal(r)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took
}
