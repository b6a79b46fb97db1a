//go:build linux && amd64

package sandbox_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// Workers that are put back wake twice for each call and interrupt nobody when they do. Others interrupt as ever.
func TestOnlyWorkersThatArePutBackInterruptNobody(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		for _, row := range []struct {
			name    string
			putBack bool
			quiet   int // processes that interrupt nobody: the worker and its fork server
		}{{"put back", true, 2}, {"used", false, 0}} {
			t.Run(row.name, func(t *testing.T) {
				pool := newRealPool(t, func(c *sandbox.Config) {
					one(c)
					c.Node = v.binary(t)
				})
				if row.putBack {
					needRollback(t, pool)
				}
				inv := invocation("hello", hello)
				inv.Rollback = row.putBack
				if _, err := pool.Invoke(t.Context(), inv); err != nil {
					t.Fatal(err)
				}
				quiet := 0
				for pid := range processesBelow(t) {
					attr, err := unix.SchedGetAttr(pid, 0)
					if err == nil && attr.Policy == unix.SCHED_BATCH { // else it has ended meanwhile
						quiet++
					}
				}
				if quiet != row.quiet {
					t.Errorf("%d processes interrupt nobody, not %d", quiet, row.quiet)
				}
			})
		}
	})
}
