//go:build linux

package sandbox_test

import (
	"testing"

	"github.com/backstage/functions/sandbox"
)

// fill is a function that holds so many MB of objects on V8's heap, and as many times of bytes beside it.
const fill = `function main(req, res) {
	const all = [];
	for (let i = 0; i < req.body.objects; i++) all.push(new Array(131072).fill(i));
	for (let i = 0; i < req.body.bytes; i++) all.push(Buffer.alloc(1 << 20, 1));
	res.send(all.length);
}`

func TestFunctionsHaveTheMemoryThatTheyAskFor(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := newRealPool(t, func(c *sandbox.Config) {
			one(c)
			c.Node, c.Limits.Memory, c.LargestMemory = v.binary(t), 128<<20, 256<<20
		})
		for _, row := range []struct {
			name   string
			memory int64
			body   string
			reason sandbox.Reason // "" for an answer
			own    bool           // whether the limit is the function's own
		}{
			{"heap", 0, `{"objects":100,"bytes":0}`, sandbox.ReasonHeap, false},
			{"heap", 200 << 20, `{"objects":100,"bytes":0}`, "", false},
			{"heap", 256 << 20, `{"objects":300,"bytes":0}`, sandbox.ReasonHeap, true},
			{"bytes", 200 << 20, `{"objects":0,"bytes":140}`, "", false},
			{"bytes", 200 << 20, `{"objects":0,"bytes":220}`, sandbox.ReasonMemory, true},
			{"bytes", 64 << 20, `{"objects":0,"bytes":80}`, sandbox.ReasonMemory, true},
			{"bytes", 0, `{"objects":0,"bytes":140}`, sandbox.ReasonMemory, false},
		} {
			inv := invocation(row.name, fill)
			inv.Memory, inv.Request.Body = row.memory, []byte(row.body)
			inv.Key += string(rune('a' + row.memory>>20))
			_, err := pool.Invoke(t.Context(), inv)
			if row.reason == "" {
				if err != nil {
					t.Errorf("%s of %s with %d MiB: %v", row.name, row.body, row.memory>>20, err)
				}
				continue
			}
			death := wantDeath(t, row.name+row.body, err, row.reason)
			if want := map[bool]int64{true: row.memory}[row.own]; death.Memory != want {
				t.Errorf("%s of %s with %d MiB: the limit was %d MiB of its own, want %d", row.name, row.body,
					row.memory>>20, death.Memory>>20, want>>20)
			}
		}
	})
}
