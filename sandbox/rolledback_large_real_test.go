//go:build linux && amd64

package sandbox_test

import (
	"testing"

	"github.com/backstage/functions/sandbox"
)

// Calls that ask for more memory and for a worker that is put back have processes of their own, with that memory, until
// there is such a worker, and then that. Each of them needs more than other functions have.
func TestWorkersWithMoreMemoryArePutBack(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		observer := fates{
			outcomes{all: make(chan sandbox.RollbackOutcome, 1)}, make(chan sandbox.Replaced, 1),
		}
		pool := newRealPool(t, func(c *sandbox.Config) {
			c.Node, c.Observer, c.LargestMemory = v.binary(t), observer, 256<<20
		})
		if support := only(pool).Rollback; !support.Available {
			t.Skipf("workers cannot be rolled back here: %s", support.Reason)
		}
		inv := rolledBackInvocation("fill", fill)
		inv.Memory, inv.Request.Body = 200<<20, []byte(`{"objects":100,"bytes":0}`)
		for putBack := 0; putBack < 3; {
			if got := body(t, pool, inv); got != "100" {
				t.Fatalf("answers %s", got)
			}
			select {
			case why := <-observer.replaced:
				if why != sandbox.ReplacedStarting || putBack > 0 {
					t.Fatalf("after %d others a call has a process of its own: %s", putBack, why)
				}
			case outcome := <-observer.all:
				if outcome.Cause != "" {
					t.Fatalf("its worker is put back: %+v", outcome)
				}
				putBack++
			}
		}
	})
}
