package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// unread are calls in progress of functions named unread…, whose callers read when they are told to.
type unread struct {
	starter *fakeStarter
	reads   chan struct{} // each value lets one caller read again, and its call end a second later
	ended   sync.WaitGroup
	mu      sync.Mutex
	reasons []Reason // of calls that were ended
}

// unreadPool has size workers. Calls of group "unread" are stalled at once.
func unreadPool(t *testing.T, cfg Config) (*runtimePool, *unread) {
	u := &unread{starter: &fakeStarter{startTime: time.Millisecond, reapTime: time.Millisecond}, reads: make(chan struct{})}
	calls := map[*Invocation]*call{}
	var mu sync.Mutex
	u.starter.calls = func(c *call) {
		mu.Lock()
		defer mu.Unlock()
		calls[c.inv] = c
	}
	u.starter.serve = func(child *fakeChild, inv *Invocation) (*Result, bool, error) {
		if inv.Group != "unread" {
			return child.work(context.Background(), inv)
		}
		mu.Lock()
		c := calls[inv]
		mu.Unlock()
		c.pending()
		c.stalled(true)
		select {
		case <-child.killed:
			<-child.reaped
			c.stalled(false)
			return nil, false, &StreamError{Err: &DeathError{Reason: child.killedFor()}}
		case <-u.reads:
			c.stalled(false)
			time.Sleep(time.Second)
			return &Result{Streamed: true}, true, nil
		}
	}
	return fakePool(t, cfg, u.starter), u
}

// call makes n calls whose callers do not read, one after the other.
func (u *unread) call(pool *runtimePool, n int) {
	for i := range n {
		inv := invocation(fmt.Sprint("unread/", i), "")
		inv.OnHead = nobodyReads
		u.ended.Go(func() {
			_, err := pool.Invoke(context.Background(), inv)
			if death, ok := errors.AsType[*DeathError](err); ok {
				u.mu.Lock()
				defer u.mu.Unlock()
				u.reasons = append(u.reasons, death.Reason)
			}
		})
		time.Sleep(10 * time.Millisecond)
	}
}

// leave has so many callers read on, and waits for the end of all.
func (u *unread) leave(n int) {
	for range n {
		u.reads <- struct{}{}
	}
	u.ended.Wait()
}

func (u *unread) evicted() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(u.reasons), func(r Reason) bool { return r != ReasonEvicted }))
}

// However many streams of a namespace are not read, calls of others have workers at once, and so has the namespace.
func TestUnreadStreamsHoldUpNobody(t *testing.T) {
	for name, active := range map[string]int{"all may compute": 0, "more than may compute": 4} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := fakeConfig(8, 0)
				cfg.Active = active
				pool, streams := unreadPool(t, cfg)
				streams.call(pool, 40)
				for i := range 16 {
					began := time.Now()
					answered(t, pool, invocation(fmt.Sprintf("other%d/f", i%8), "1ms"))
					if took := time.Since(began); took > 100*time.Millisecond {
						t.Errorf("a call took %v", took)
					}
				}
				began := time.Now()
				answered(t, pool, invocation("unread2/f", "1ms"))
				if took := time.Since(began); took > 100*time.Millisecond {
					t.Errorf("a call took %v", took)
				}
				streams.leave(pool.Snapshot().Pool.Unread)
			})
		})
	}
}

// One owner may have a quarter of the workers in such streams; the one that was unread for longest makes room.
func TestUnreadStreamsOfOneOwnerAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, streams := unreadPool(t, fakeConfig(16, 0))
		streams.call(pool, 7)
		if s := pool.Snapshot().Pool; s.Unread != 4 || streams.evicted() != 3 {
			t.Errorf("%d were ended: %+v", streams.evicted(), s)
		}
		for i := range 3 {
			if reason := streams.starter.child(i).killedFor(); reason != ReasonEvicted {
				t.Errorf("the worker of stream %d ended because of %q", i, reason)
			}
		}
		streams.leave(4)
	})
}

// A stream that is read again is served as any call is, and counts as one.
func TestStreamsThatAreReadAgainGoOn(t *testing.T) {
	for _, active := range []int{0, 4} {
		synctest.Test(t, func(t *testing.T) {
			cfg := fakeConfig(8, 0)
			cfg.Active = active
			pool, streams := unreadPool(t, cfg)
			shares := func(serving, unread int) {
				t.Helper()
				pool.scheduler.mu.Lock()
				defer pool.scheduler.mu.Unlock()
				b := pool.scheduler.budget
				if b.shares.serving.total != serving || b.stalled.total != unread || pool.scheduler.stalled != unread {
					t.Errorf("%d serve and %d are unread, want %d and %d", b.shares.serving.total, b.stalled.total, serving, unread)
				}
			}
			streams.call(pool, 2)
			shares(0, 2)
			streams.reads <- struct{}{}
			synctest.Wait()
			shares(1, 1)
			streams.leave(1)
			synctest.Wait()
			shares(0, 0)
			if streams.evicted() != 0 {
				t.Error("a stream was ended")
			}
			if s := pool.Snapshot().Pool; s.Idle != 2 || s.Unread != 0 || s.Busy != 0 {
				t.Errorf("at rest: %+v", s)
			}
		})
	}
}

// Idle workers of the group make room first.
func TestUnreadStreamsGiveWayAfterIdleWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, streams := unreadPool(t, fakeConfig(8, 0))
		streams.call(pool, 2)
		streams.leave(2)
		streams.call(pool, 1) // in one of the two workers, the other is idle
		var others sync.WaitGroup
		for i, want := range []int{1, 1, 1, 1, 1, 1, 1, 0} {
			others.Go(func() { answered(t, pool, invocation(fmt.Sprintf("other%d/f", i), "1m")) })
			time.Sleep(time.Second)
			if s := pool.Snapshot().Pool; s.Unread != want {
				t.Errorf("with %d calls: %+v", i+1, s)
			}
		}
		others.Wait()
		streams.ended.Wait()
	})
}

func nobodyReads(StreamHead) (io.Writer, error) { return io.Discard, nil }
