//go:build linux && amd64

package sandbox_test

import (
	"testing"

	"github.com/backstage/functions/sandbox"
)

// fates tells what became of calls that ask for a worker that is put back.
type fates struct {
	outcomes

	replaced chan sandbox.Replaced
}

func (f fates) RollbackReplaced(why sandbox.Replaced) { f.replaced <- why }

// Without a jail, too, workers are put back where their pool says so. No filter of a jail keeps Node.js 22 and later
// from sharing memory with the kernel there.
func TestWorkersArePutBackWithoutAJail(t *testing.T) {
	for _, tier := range []sandbox.Isolation{sandbox.IsolationProcess, sandbox.IsolationNone} {
		t.Run(string(tier), func(t *testing.T) {
			onEveryVersion(t, func(t *testing.T, v version) {
				const calls = 3
				observer := fates{
					outcomes{all: make(chan sandbox.RollbackOutcome, calls)}, make(chan sandbox.Replaced, calls),
				}
				pool := newRealPool(t, func(c *sandbox.Config) {
					one(c)
					c.Node, c.Isolation, c.Observer, c.RollbackAudit = v.binary(t), tier, observer, 1
				})
				needRollback(t, pool)
				inv := rolledBackInvocation("count", counting)
				for range calls {
					if got := body(t, pool, inv); got != `{"calls":1,"pid":0}` {
						t.Errorf("answers %s", got)
					}
					select {
					case outcome := <-observer.all:
						if outcome.Cause != "" || !outcome.Audited {
							t.Errorf("its worker is put back: %+v", outcome)
						}
					case why := <-observer.replaced:
						t.Fatalf("it has a process of its own: %s; %+v", why, only(pool).Rollback.Fallbacks)
					}
				}
			})
		})
	}
}
