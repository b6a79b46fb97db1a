package sandboxtest

import (
	"context"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// patience is for deadlines that only a function which never answers should meet, however busy the machine is.
const patience = time.Minute

// NewPool starts a pool of at most two workers and closes it when the test is over. It needs Linux and Node.js on PATH
// and no rights: its workers have no isolation but processes of their own, since a test's functions are trusted.
// Change, if it is not nil, may change the configuration. The test fails at once if the pool does not start.
func NewPool(tb testing.TB, change func(*sandbox.Config)) *sandbox.Pool {
	tb.Helper()
	cfg := sandbox.DefaultConfig()
	cfg.Isolation = sandbox.IsolationNone
	cfg.Size, cfg.Prewarmed, cfg.Reserve = 2, 1, 0
	cfg.SyncTimeout, cfg.AsyncTimeout, cfg.StartTimeout, cfg.QueueTimeout = patience, patience, patience, patience
	if change != nil {
		change(&cfg)
	}
	pool, err := sandbox.New(context.Background(), cfg)
	if err != nil {
		tb.Fatalf("sandboxtest: %v", err)
	}
	tb.Cleanup(func() {
		if err := pool.Close(); err != nil {
			tb.Errorf("sandboxtest: close the pool: %v", err)
		}
	})
	return pool
}
