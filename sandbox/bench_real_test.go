//go:build linux

package sandbox_test

import (
	"testing"

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
