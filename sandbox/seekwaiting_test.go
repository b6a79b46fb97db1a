package sandbox

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func (c *pausing) giveWay(bool) {}

func TestCallsThatWaitAreFoundForThoseWhoKeepCallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := growingPool(t, 64, 8, 2)
		for name, n := range map[string]int{"a/sleep": 3, "a/spin": 2} {
			for range n {
				go func() { _, _ = pool.Invoke(context.WithoutCancel(t.Context()), invocation(name, "3m")) }()
			}
		}
		time.Sleep(time.Minute)
		if s := pool.Snapshot().Pool; s.Busy != 5 || s.Waiting != 0 {
			t.Errorf("nobody has asked: %+v", s)
		}
		pool.scheduler.seekWaiting()
		time.Sleep(soughtFor)
		if s := pool.Snapshot().Pool; s.Busy != 5 || s.Waiting != 3 {
			t.Errorf("three of five calls wait: %+v", s)
		}
		time.Sleep(3 * time.Minute)
	})
}

func TestCallsThatNobodyWaitsForAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(4, 1), &fakeStarter{})
		for _, queued := range []*Queued{nil, {ID: "1", Attempt: 1}, {ID: "2", Attempt: 1}} {
			inv := invocation("a/1", "1m")
			inv.Queued = queued
			go func() { _, _ = pool.Invoke(context.WithoutCancel(t.Context()), inv) }()
		}
		time.Sleep(30 * time.Second)
		if s := pool.Snapshot().Pool; s.Busy != 3 || s.Unattended != 2 {
			t.Errorf("two of three calls are queued ones: %+v", s)
		}
		time.Sleep(time.Minute)
		if s := pool.Snapshot().Pool; s.Busy != 0 || s.Unattended != 0 {
			t.Errorf("at rest: %+v", s)
		}
	})
}
