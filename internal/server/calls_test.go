package server

import (
	"testing"

	"github.com/backstage/functions/sandbox"
)

// TestQueuedCallsTakeSpareWorkersOnly has pools in which so many calls compute and wait, and queued calls that are on
// their way to a worker.
func TestQueuedCallsTakeSpareWorkersOnly(t *testing.T) {
	pool := func(busy, waiting, queued int) sandbox.PoolStats {
		return sandbox.PoolStats{Size: 100, Active: 32, Busy: busy, Waiting: waiting, Queued: queued}
	}
	for name, row := range map[string]struct {
		pool                       sandbox.PoolStats
		processors, most, arriving int
		want                       int
	}{
		"nothing runs":                         {pool(0, 0, 0), 4, 16, 0, 3},
		"one processor, nothing runs":          {pool(0, 0, 0), 1, 16, 0, 1},
		"one processor, a call computes":       {pool(1, 0, 0), 1, 16, 0, 0},
		"two processors, a call computes":      {pool(1, 0, 0), 2, 16, 0, 0},
		"one computes":                         {pool(1, 0, 0), 4, 16, 0, 2},
		"three compute":                        {pool(3, 0, 0), 4, 16, 0, 0},
		"twenty wait for something":            {pool(20, 20, 0), 4, 16, 0, 3},
		"as many run as may":                   {pool(16, 16, 0), 4, 0, 0, 0},
		"one less runs than may":               {pool(15, 15, 0), 4, 1, 0, 1},
		"two are arriving":                     {pool(0, 0, 0), 4, 16, 2, 1},
		"two processors, one is arriving":      {pool(0, 0, 0), 2, 16, 1, 0},
		"two processors, one beside waiting":   {pool(9, 9, 0), 2, 16, 1, 0},
		"the last workers are taken":           {pool(98, 98, 0), 4, 200, 1, 0},
		"a call waits for a worker":            {pool(1, 1, 1), 4, 16, 0, 0},
		"all workers are busy":                 {pool(100, 100, 0), 4, 200, 0, 0},
		"one worker is left for the next call": {pool(99, 99, 0), 4, 200, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := spareWorkers(row.pool, row.processors, row.most, row.arriving); max(got, 0) != row.want {
				t.Errorf("%d are spare, want %d", got, row.want)
			}
		})
	}
}
