//go:build linux

package sandbox_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

func TestStatsTellWhatACallHasUsed(t *testing.T) {
	seen := make(chan sandbox.Stats, 10)
	pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.Observer = usage{calls: seen} })
	const code = `function main(req, res) { let n = 0; for (let i = 0; i < req.body.x * 1e8; i++) n += i; res.send(n > 0) }`
	inv := invocation("burn", code)
	var calls []sandbox.Stats
	for _, body := range []string{`{"x":0}`, `{"x":0}`, `{"x":1}`} {
		inv.Request.Body = []byte(body)
		result, err := pool.Invoke(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		if told := <-seen; told != result.Stats {
			t.Errorf("the observer was told %+v, the caller %+v", told, result.Stats)
		}
		calls = append(calls, result.Stats)
	}
	if calls[0].Load <= 0 || calls[0].Load > calls[0].Run || calls[1].Load != 0 || calls[2].Load != 0 {
		t.Errorf("load times of %+v: the first call alone has loaded the code", calls)
	}
	if calls[1].CPU <= 0 || calls[2].CPU < 10*calls[1].CPU {
		t.Errorf("CPU times of %+v: the last call counted to a hundred million", calls)
	}
}

func TestFailedCallsTellTheirLoadTime(t *testing.T) {
	pool := newRealPool(t, one)
	_, err := pool.Invoke(t.Context(), invocation("broken", `function main() { throw new Error('x') }`))
	thrown, ok := err.(*sandbox.FunctionError) //nolint:errorlint // as Invoke makes it
	if !ok || thrown.Load <= 0 || thrown.CPU <= 0 {
		t.Errorf("got %+v", err)
	}
}

func TestACallThatItsWorkerDiesOfTellsItsCPUTime(t *testing.T) {
	for _, v := range versions {
		for name, change := range map[string]func(*sandbox.Config){"forked": one, "started directly": directly(t)} {
			t.Run(string(v)+" "+name, func(t *testing.T) {
				pool := newRealPool(t, func(c *sandbox.Config) {
					change(c)
					c.Node, c.Size, c.Prewarmed, c.SyncTimeout, c.AsyncTimeout = v.binary(t), 1, 1, time.Minute, time.Minute
				})
				const code = `function main(req, res) {
					let n = 0;
					for (let i = 0; i < req.body.x * 1e8; i++) n += i;
					if (req.body.die) n += Buffer.alloc(1e9, 1).length;
					res.send(n > 0);
				}`
				call := func(body string) sandbox.Stats {
					inv := invocation("burn", code)
					inv.Request.Body = []byte(body)
					result, err := pool.Invoke(t.Context(), inv)
					if death, ok := errors.AsType[*sandbox.DeathError](err); ok && death.Reason == sandbox.ReasonMemory {
						return death.Stats
					}
					if err != nil {
						t.Fatal(err)
					}
					return result.Stats
				}
				counted, died := call(`{"x":1}`), call(`{"x":1,"die":true}`)
				if died.CPU < counted.CPU/4 {
					t.Errorf("to count took %v of a processor; to count and die %v", counted.CPU, died.CPU)
				}
			})
		}
	}
}

func TestDeadForkedWorkersTellTheirPeakMemory(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*sandbox.Config)
		told   bool
	}{"forked": {one, true}, "started directly": {directly(t), false}} {
		t.Run(name, func(t *testing.T) {
			peaks := make(chan int64, 100)
			cfg := realConfig(t)
			row.change(&cfg)
			cfg.Observer = usage{peaks: peaks}
			pool, err := sandbox.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			invoke(t, pool, "big", `function main(req, res) { res.send(Buffer.alloc(60e6, 1).length) }`, `60000000`)
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
			close(peaks)
			var most int64
			for peak := range peaks {
				most = max(most, peak)
			}
			if row.told != (most > 0) || row.told && (most < 60e6 || most > 1e9) {
				t.Errorf("the peak is %d bytes, the function had 60 million", most)
			}
		})
	}
}

func TestObserverIsToldThatTheForkServerIsReplaced(t *testing.T) {
	restarts := make(chan struct{}, 10)
	pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.Observer = usage{restarts: restarts} })
	invoke(t, pool, "a", `function main(req, res) { res.send(1) }`, `1`)
	if len(restarts) != 0 {
		t.Error("the first fork server is no restart")
	}
	if err := unix.Kill(zygoteOf(t), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	invoke(t, pool, "b", `function main(req, res) { res.send(1) }`, `1`)
	if len(restarts) != 1 {
		t.Errorf("told %d times", len(restarts))
	}
}

func TestStatusTellsHowWorkersStart(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*sandbox.Config)
		forked bool
	}{
		"forked":   {nil, true},
		"directly": {directlyInJails(t), false},
	} {
		t.Run(name, func(t *testing.T) {
			status := only(newRealPool(t, row.change))
			if status.Start.Forked != row.forked || (status.Start.Reason == "") != row.forked {
				t.Errorf("got %+v", status.Start)
			}
			if status.Isolation != sandbox.IsolationStrict || len(status.Layers) == 0 || status.Pool.Size != 16 || status.Problem != "" {
				t.Errorf("got %+v", status)
			}
		})
	}
}

// usage is an Observer of what calls and workers use; it leaves out what it has no channel for.
type usage struct {
	sandbox.NopObserver

	calls    chan<- sandbox.Stats
	peaks    chan<- int64
	restarts chan<- struct{}
}

func (u usage) InvocationDone(stats sandbox.Stats) {
	if u.calls != nil {
		u.calls <- stats
	}
}

func (u usage) WorkerUsed(peakMemory int64) {
	if u.peaks != nil {
		u.peaks <- peakMemory
	}
}

func (u usage) ZygoteRestarted() {
	if u.restarts != nil {
		u.restarts <- struct{}{}
	}
}
