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

// zodCode makes a schema in its top-level code and reads a request with it.
const zodCode = `import { z } from "zod";
const Order = z.object({
  id: z.string(), amount: z.coerce.number().positive(), lines: z.array(z.object({ sku: z.string(), n: z.number() }))
});
export const main = (req: any, res: any) => res.send(Order.parse(req.body).amount);
`

// heavyCode computes for tens of milliseconds before V8 has optimized it.
const heavyCode = `
function mix(grid, n) {
  let sum = 0
  for (let y = 1; y < n - 1; y++) {
    for (let x = 1; x < n - 1; x++) {
      const at = y * n + x
      const near = (grid[at - 1] + grid[at + 1] + grid[at - n] + grid[at + n]) / 4
      sum += near > 0.5 ? near : -near
      grid[at] = near * 0.99 + 0.005
    }
  }
  return sum
}
function main(req, res) {
  const { n } = req.body, grid = new Float64Array(n * n)
  for (let i = 0; i < grid.length; i++) grid[i] = (i * 2654435761 % 1000) / 1000
  let sum = 0
  for (let round = 0; round < 20; round++) sum += mix(grid, n)
  res.send(sum.toFixed(3))
}`

// oneAfterTheOther is how long calls of a function take that are made one by one, sorted, after a few that do not
// count.
func (s *server) oneAfterTheOther(b *testing.B, path, body string, calls int) (took []time.Duration) {
	b.Helper()
	const first = 5
	for i := range first + calls {
		start := time.Now()
		r := send(http.DefaultClient, http.MethodPut, s.url+path+"/run", body)
		if r.err != nil || r.status != http.StatusOK {
			b.Fatalf("%s: %v", path, r)
		}
		if i >= first {
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	return took
}

// noteCalls measures calls on Node.js 24 of a function with those options, and notes the median.
func (s *server) noteCalls(b *testing.B, what, name, body, options string, deploy func(path, options string)) {
	b.Helper()
	path := "/functions/bench/" + name
	deploy(path, options)
	if strings.Contains(options, "rollback") {
		s.untilPutBack(b, path, body)
	}
	took := s.oneAfterTheOther(b, path, body, 60)
	benchmarks.note(b, fmt.Sprintf("%s, %s, p50", what, name), millis(took[len(took)/2]), "ms "+name)
}

// BenchmarkOnce measures what it saves to run top-level code once, and a warmup before the snapshot.
func BenchmarkOnce(b *testing.B) {
	for b.Loop() {
		all, _ := readPackageLock(b)
		lock := all.of("zod")
		vars := append(outsideVariables(), runtimesVariable(b, "node24"), "NPM_REGISTRY="+npmRegistry(b))
		s := startBenched(b, vars...)
		const order = `{"id":"a","amount":"7","lines":[{"sku":"x","n":1}]}`
		zod := func(path, options string) {
			files, err := json.Marshal(map[string]string{"index.ts": zodCode, "package-lock.json": lock})
			if err != nil {
				b.Fatal(err)
			}
			status, answer := request(b, http.MethodPut, s.url+path, fmt.Sprintf(`{"files":%s,%s}`, files, options))
			if status != http.StatusOK {
				b.Fatal(answer)
			}
		}
		for _, row := range []struct{ name, options string }{
			{"used-worker", `"init":"each"`},
			{"used-worker-once", `"init":"once"`},
			{"put-back", `"reuse":"rollback","init":"each"`},
			{"put-back-once", `"reuse":"rollback","init":"once"`},
			{"process-for-each", `"maxInvocations":1`},
		} {
			s.noteCalls(b, "call with zod at top level", row.name, order, row.options, zod)
		}
		heavy := func(path, options string) { put(b, s.url+path, heavyCode, options) }
		const body = `{"n":200}`
		for _, row := range []struct{ name, options string }{
			{"heavy-used-worker", `"reuse":"worker"`},
			{"heavy-put-back", `"reuse":"rollback"`},
			{"heavy-put-back-warm-1", `"reuse":"rollback","warmup":{"body":` + body + `}`},
			{"heavy-put-back-warm-10", `"reuse":"rollback","warmup":{"body":` + body + `,"times":10}`},
			{"heavy-put-back-warm-100", `"reuse":"rollback","warmup":{"body":` + body + `,"times":100}`},
			{"heavy-process-for-each", `"maxInvocations":1`},
		} {
			s.noteCalls(b, "call that computes", row.name, body, row.options, heavy)
		}
	}
}
