//go:build linux && amd64

package sandbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// rolledBack collects what the pool tells of rollbacks.
type rolledBack struct {
	sandbox.NopObserver
	t      *testing.T
	causes chan sandbox.RollbackCause
	died   chan sandbox.Reason
}

func newRolledBack(t *testing.T) rolledBack {
	t.Helper()
	return rolledBack{t: t, causes: make(chan sandbox.RollbackCause, 1<<17), died: make(chan sandbox.Reason, 1<<10)}
}

func (r rolledBack) WorkerRolledBack(_ string, outcome sandbox.RollbackOutcome) {
	r.causes <- outcome.Cause
	if outcome.Cause != "" {
		r.t.Logf("a worker ends: %+v", outcome)
	}
}

func (r rolledBack) WorkerDied(reason sandbox.Reason, _ time.Duration) {
	if reason != sandbox.ReasonClosed {
		r.t.Logf("a worker died: %s", reason)
	}
}

// needRollback skips the test on a machine that cannot roll workers back; it says so and why. Otherwise it waits until
// there are such workers.
func needRollback(t *testing.T, pool *sandbox.Pool) {
	t.Helper()
	if support := only(pool).Rollback; !support.Available {
		t.Skipf("workers cannot be rolled back here: %s", support.Reason)
	}
	beginRollback(t, pool, false)
}

// beginRollback waits until there are workers that are put back, of which calls that come before have none.
func beginRollback(tb testing.TB, pool *sandbox.Pool, web bool) {
	tb.Helper()
	if err := pool.BeginRollback(tb.Context(), "", web); err != nil {
		tb.Fatal(err)
	}
}

func rolledBackInvocation(name, code string) *sandbox.Invocation {
	inv := invocation(name, code)
	inv.Rollback = true
	return inv
}

// Without the fork server workers cannot be put back: each call has a process of its own then, never a used one.
func TestWithoutRollbackEachCallHasAProcessOfItsOwn(t *testing.T) {
	died := make(chan sandbox.Reason, 100)
	pool := newRealPool(t, func(c *sandbox.Config) {
		dir := t.TempDir()
		copyRunner(t, "../runner-js", dir)
		if err := os.Remove(filepath.Join(dir, "build/zygote.node")); err != nil {
			t.Fatal(err)
		}
		c.Runner, c.Modules, c.Observer = filepath.Join(dir, "main.js"), nil, deaths{died: died}
	})
	if support := only(pool).Rollback; support.Available || support.Reason == "" {
		t.Errorf("it says %+v", support)
	}
	for range 3 {
		result, err := pool.Invoke(context.Background(), rolledBackInvocation("count", counting))
		if err != nil {
			t.Fatal(err)
		}
		if body := string(result.Body); body != `{"calls":1,"pid":0}` {
			t.Errorf("answers %s", body)
		}
		if reason := <-died; reason != sandbox.ReasonRetired {
			t.Errorf("its worker ends for %s", reason)
		}
	}
}

// replacements counts the calls that got a process of their own.
type replacements struct {
	sandbox.NopObserver

	why chan sandbox.Replaced
}

func (r replacements) RollbackReplaced(why sandbox.Replaced) { r.why <- why }

// The first call that asks for it starts the fork server of workers that are put back, and waits for nothing.
func TestCallsDoNotWaitForTheFirstWorkerThatIsPutBack(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		observer := replacements{why: make(chan sandbox.Replaced, 10)}
		pool := newRealPool(t, func(c *sandbox.Config) { c.Node, c.Observer = v.binary(t), observer })
		if support := only(pool).Rollback; !support.Available {
			t.Skipf("workers cannot be rolled back here: %s", support.Reason)
		}
		inv := rolledBackInvocation("count", counting)
		for range 2 { // the second one has such a worker
			if got := body(t, pool, inv); got != `{"calls":1,"pid":0}` {
				t.Errorf("answers %s", got)
			}
			beginRollback(t, pool, false)
		}
		close(observer.why)
		var why []sandbox.Replaced
		for one := range observer.why {
			why = append(why, one)
		}
		if !slices.Equal(why, []sandbox.Replaced{sandbox.ReplacedStarting}) {
			t.Errorf("calls were replaced for %q", why)
		}
	})
}

const counting = `function main(req, res) {
	var g = Function('return this')();
	g.calls = (g.calls || 0) + 1; Object.prototype.seen = g.calls; Buffer.from('secret' + g.calls);
	res.send({ calls: g.calls, pid: typeof process === 'undefined' ? 0 : 1 });
}`

// Every call finds the worker as the first one did, and all of it is compared after each.
func TestNoCallSeesAnotherAfterARollback(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		observer := newRolledBack(t)
		pool := newRealPool(t, func(c *sandbox.Config) {
			one(c)
			c.Node, c.Observer, c.RollbackAudit = v.binary(t), observer, 1
		})
		needRollback(t, pool)
		inv := rolledBackInvocation("count", counting)
		for i := range 20 {
			result, err := pool.Invoke(context.Background(), inv)
			if err != nil {
				var death *sandbox.DeathError
				if errors.As(err, &death) {
					t.Fatalf("call %d: %v: %s", i, err, death.Detail)
				}
				t.Fatalf("call %d: %v", i, err)
			}
			if body := string(result.Body); body != `{"calls":1,"pid":0}` {
				t.Fatalf("call %d answers %s", i, body)
			}
			if cause := <-observer.causes; cause != "" {
				t.Fatalf("rollback %d: %s", i, strconv.Quote(string(cause)))
			}
		}
	})
}

// outcomes collects how attempts to put workers back ended.
type outcomes struct {
	sandbox.NopObserver

	all chan sandbox.RollbackOutcome
}

func (o outcomes) WorkerRolledBack(_ string, outcome sandbox.RollbackOutcome) { o.all <- outcome }

// One rollback in so many is audited also where no worker is put back that often.
func TestWorkersThatServeFewCallsAreAudited(t *testing.T) {
	observer := outcomes{all: make(chan sandbox.RollbackOutcome, 1000)}
	pool := newRealPool(t, func(c *sandbox.Config) {
		one(c)
		c.Observer, c.RollbackAudit, c.MaxInvocations = observer, 4, 3
	})
	needRollback(t, pool)
	for range 60 { // none of them would be audited in one run of thirty million
		if _, err := pool.Invoke(t.Context(), rolledBackInvocation("few", counting)); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.Close(); err != nil { // which waits for all of them
		t.Error(err)
	}
	close(observer.all)
	audited, all := 0, 0
	for outcome := range observer.all {
		all++
		if outcome.Audited {
			audited++
		}
	}
	if audited == 0 || audited == all {
		t.Errorf("%d of %d rollbacks were audited, want about a quarter", audited, all)
	}
}

// A worker that is ended for its room while all of it is compared is not as in its snapshot. That is no finding.
func TestAWorkerThatIsEndedMeanwhileIsNoFinding(t *testing.T) {
	observer := outcomes{all: make(chan sandbox.RollbackOutcome, 1000)}
	pool := newRealPool(t, func(c *sandbox.Config) {
		one(c)
		c.Observer, c.RollbackAudit = observer, 1
	})
	needRollback(t, pool)
	const calls = 40
	for i := range calls {
		// Another function each time needs the room of the worker that has just answered.
		if _, err := pool.Invoke(t.Context(), rolledBackInvocation(strconv.Itoa(i%2), counting)); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.Close(); err != nil { // which waits for all of them
		t.Error(err)
	}
	close(observer.all)
	killed := 0
	for outcome := range observer.all {
		if outcome.Cause != "" && !outcome.Killed {
			t.Errorf("a worker that was ended counts as %+v", outcome)
		}
		if outcome.Killed {
			killed++
		}
	}
	t.Logf("%d of %d workers were ended meanwhile", killed, calls)
}

// Nor is one that dies with its fork server, while it is put back or compared.
func TestAWorkerThatDiesWithItsForkServerIsNoFinding(t *testing.T) {
	observer := outcomes{all: make(chan sandbox.RollbackOutcome, 1000)}
	pool := newRealPool(t, func(c *sandbox.Config) { c.Observer, c.RollbackAudit = observer, 1 })
	for range 3 {
		needRollback(t, pool)
		var servers []int
		for _, pid := range descendants(t, os.Getpid()) {
			if statusOf(t, pid, "PPid") == strconv.Itoa(os.Getpid()) {
				servers = append(servers, pid)
			}
		}
		_, _ = pool.Invoke(t.Context(), rolledBackInvocation("dies", counting)) // it may meet the end of one before
		for _, server := range servers {
			_ = unix.Kill(server, unix.SIGKILL) // one of them may have ended
		}
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	close(observer.all)
	if len(observer.all) == 0 {
		t.Error("no worker was put back, or was to be")
	}
	for outcome := range observer.all {
		if outcome.Cause != "" && !outcome.Killed && outcome.Cause != "no_park" {
			t.Errorf("a worker whose fork server was killed counts as %+v", outcome)
		}
	}
}
