//go:build linux && amd64

package sandbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// tooLarge is code that grows beyond a limit of its worker, and how such a call ends.
var tooLarge = map[string]struct {
	code string
	want sandbox.Reason
}{
	"heap":   {`const all = []; for (;;) all.push({ a: [1, 2, 3] })`, sandbox.ReasonHeap},
	"memory": {`const all = []; for (;;) all.push(Buffer.alloc(4 << 20, 1))`, sandbox.ReasonMemory},
}

// Top-level code that is too large for its worker fails its call with that reason, as in a call that is not put back.
// The function is no other for it, and nothing is left: no worker, no memory of a snapshot.
func TestTopLevelCodeThatIsTooLargeFailsItsCall(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool, observer := rollbackPool(t, v)
		good, _ := onceInvocation("good", `function main(req, res) { res.send('good') }`)
		if got := body(t, pool, good); got != `"good"` {
			t.Fatal(got)
		}
		observer.wantPutBack(0)
		pages := pool.SnapshotPages()
		for name, row := range tooLarge {
			inv, _ := onceInvocation(name, row.code+`; function main(req, res) { res.send(1) }`)
			usual := *inv
			usual.Key, usual.Rollback, usual.Once = usual.Key+"\x00usual", false, false
			if got := body(t, pool, &usual); got != string(row.want) {
				t.Errorf("%s, not put back: %s, want %s", name, got, row.want)
			}
			for i := range 2 {
				if got := body(t, pool, inv); got != string(row.want) {
					t.Errorf("%s: call %d: %s, want %s", name, i, got, row.want)
				}
			}
		}
		if got := only(pool).Rollback; !got.Available || len(got.Fallbacks) > 0 {
			t.Errorf("the report says %+v", got)
		}
		gone := func(s sandbox.PoolStats) bool { return s.Busy+s.Starting == 0 && s.Idle <= 1 }
		awaitStats(t, pool, "workers are left", gone)
		if now := pool.SnapshotPages(); now > pages {
			t.Errorf("%d pages are in snapshots, %d were before", now, pages)
		}
		if got := body(t, pool, good); got != `"good"` {
			t.Errorf("after these a call is answered %s", got)
		}
	})
}

// A warmup that is too large is left out.
func TestWarmupsThatAreTooLargeAreLeftOut(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool, observer := rollbackPool(t, v)
		for name, row := range tooLarge {
			inv, lines := onceInvocation("warmup "+name, `let calls = 0
				function main(req, res) { if (req.body.x !== 1) { `+row.code+` } res.send(++calls) }`)
			answersWithoutWarmup(t, pool, observer, inv)
			if text := fmt.Sprint(*lines); !strings.Contains(text, "The warmup is left out") ||
				!strings.Contains(text, "more memory than its worker may have, WORKER_MEMORY_LIMIT of the server") {
				t.Errorf("%s: the log says %s", name, text)
			}
			left := func(f sandbox.RollbackFallback) bool { return f.Filename == inv.Filename && f.WarmupOnly }
			if got := only(pool).Rollback.Fallbacks; !slices.ContainsFunc(got, left) {
				t.Errorf("%s: the report says %+v", name, got)
			}
		}
	})
}
