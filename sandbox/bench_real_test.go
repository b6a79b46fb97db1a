//go:build linux

package sandbox_test

import (
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

const hello = `function main(req, res) { const name = (req.body && req.body.name) || 'World'; res.send({ say: 'Hello ' + name + '!' }) }`

// BenchmarkInvoke measures one call through the pool, by one caller.
func BenchmarkInvoke(b *testing.B) {
	for name, change := range map[string]func(*sandbox.Config){
		"warm":                  nil,
		"fresh process":         func(c *sandbox.Config) { c.MaxInvocations = 1; c.Prewarmed = 4 },
		"fresh process, 1 warm": func(c *sandbox.Config) { c.MaxInvocations = 1; c.Prewarmed = 1 },
		"warm, no tmp":          func(c *sandbox.Config) { c.Limits.Tmp = 0 },
		"fresh process, no tmp": func(c *sandbox.Config) { c.MaxInvocations = 1; c.Prewarmed = 4; c.Limits.Tmp = 0 },
	} {
		b.Run(name, func(b *testing.B) {
			pool := newRealPool(b, change)
			inv := invocation("hello", hello)
			for b.Loop() {
				if _, err := pool.Invoke(b.Context(), inv); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// warmUp is how long calls are made before they are measured.
const warmUp = 6 * time.Second

// BenchmarkWebHandler measures one call of a web handler, and of a function that makes a request with fetch, each of
// which takes a new worker.
func BenchmarkWebHandler(b *testing.B) {
	for _, v := range versions[1:] {
		for name, code := range map[string]string{
			"handler":         `module.exports = { fetch: request => new Response('Hello ' + new URL(request.url).pathname) }`,
			"fetch":           `async function main() { return (await fetch('data:text/plain,hello')).text() }`,
			"fetch, expected": `async function main() { return (await fetch('data:text/plain,hello')).text() }`,
		} {
			b.Run(name+"/"+string(v), func(b *testing.B) {
				pool := newRealPool(b, func(c *sandbox.Config) { c.Node, c.Prewarmed = v.binary(b), 2 })
				inv := invocation("hello", code)
				inv.Web, inv.Fetches = name == "handler", name == "fetch, expected"
				inv.Request.HTTP = []byte(`{"path":"/a","url":"/a","ip":"192.0.2.1","host":"a","scheme":"http"}`)
				var cpu time.Duration
				calls := 0
				call := func() {
					result, err := pool.Invoke(b.Context(), inv)
					if err != nil {
						b.Fatal(err)
					}
					cpu += result.CPU
					calls++
				}
				for began := time.Now(); time.Since(began) < warmUp; { // its fork server starts meanwhile
					call()
				}
				cpu, calls = 0, 0
				for b.Loop() {
					call()
				}
				b.ReportMetric(float64(cpu.Microseconds())/float64(calls), "cpu-µs/op")
			})
		}
	}
}
