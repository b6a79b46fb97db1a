package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkDeploy measures deploys of functions of files, and what 1,000 of them leave in the memory of the server. They
// go to 20 functions, with a new content each time, and to few workers: those have memory of their own.
func BenchmarkDeploy(b *testing.B) {
	for b.Loop() {
		s := startBenched(b, "POOL_SIZE=4", "POOL_PREWARMED=2")
		const first, all = 100, 1100
		took := s.deployMany(b, 0, first)
		before, _ := memoryOf(b, s.pid())
		took = append(took, s.deployMany(b, first, all)...)
		after, _ := memoryOf(b, s.pid())
		slices.Sort(took)
		benchmarks.note(b, "deploy of one TypeScript file, p50", millis(took[len(took)/2]), "ms p50")
		benchmarks.note(b, "deploy of one TypeScript file, p99", millis(took[len(took)*99/100]), "ms p99")
		benchmarks.note(b, "the server's memory after 100 deploys", mega(before), "MB")
		benchmarks.note(b, "the server's memory after 1,000 more", mega(after), "MB after")
		benchmarks.note(b, "deploy of 40 files of 100 functions each", millis(s.deployLarge(b)), "ms for 40 files")
	}
}

// deployMany deploys one TypeScript file as the versions from and up to to.
func (s *server) deployMany(b *testing.B, from, to int) (took []time.Duration) {
	b.Helper()
	for i := from; i < to; i++ {
		code := fmt.Sprintf("export async function main(req: any, res: any) { res.send({ n: %d, x: req?.body }) }", i)
		took = append(took, s.deployFiles(b, fmt.Sprintf("/functions/bench/f%d", i%20), map[string]string{"index.ts": code}))
	}
	return took
}

// deployLarge deploys as much code as 40 packages may bring.
func (s *server) deployLarge(b *testing.B) time.Duration {
	b.Helper()
	files := map[string]string{}
	var entry strings.Builder
	for i := range 40 {
		var code strings.Builder
		for j := range 100 {
			fmt.Fprintf(&code, "export async function f%d(a, { b, ...c } = {}) { return [a ?? await b?.[%d], c] }\n", j, j)
		}
		files[fmt.Sprintf("lib/m%d.js", i)] = code.String()
		fmt.Fprintf(&entry, "import * as m%d from './lib/m%d'\nconsole.log(m%d)\n", i, i, i)
	}
	files["index.ts"] = entry.String() + "export const main = (req: any, res: any) => res.send({})"
	return s.deployFiles(b, "/functions/bench/large", files)
}

// deployFiles deploys files and returns how long that took.
func (s *server) deployFiles(b *testing.B, path string, files map[string]string) time.Duration {
	b.Helper()
	body, err := json.Marshal(map[string]any{"files": files})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	r := send(http.DefaultClient, http.MethodPut, s.url+path, string(body))
	if r.err != nil || r.status != http.StatusOK {
		b.Fatalf("%s: %v", path, r)
	}
	return time.Since(start)
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
