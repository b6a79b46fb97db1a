package sandbox

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// memoryUsed implements memoryUser: calls of evil use less each than that of the others.
func (c *pausing) memoryUsed() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.key {
	case "":
		return 0
	case "evil/f":
		return 30
	default:
		return 100
	}
}

// waitingCalls makes n calls of key that wait for a minute, and returns where each tells its end.
func waitingCalls(t *testing.T, pool *runtimePool, n int, key string) <-chan error {
	ends := make(chan error, n)
	for range n {
		go func() {
			_, err := pool.Invoke(context.WithoutCancel(t.Context()), invocation(key, "1m"))
			ends <- err
		}()
	}
	return ends
}

func TestWhereMemoryIsNearlyGoneCallsOfWhoUsesTheMostEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 64, 8, 2)
		evil, good := waitingCalls(t, pool, 20, "evil/f"), waitingCalls(t, pool, 1, "good/f")
		time.Sleep(time.Second)
		starter.left.Store(1000 / shortPart)
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Busy != 21 {
			t.Errorf("where it is not nearly gone: %+v", s)
		}
		starter.left.Store(1000/endPart - 1)
		time.Sleep(time.Second)
		if ended := len(evil); ended == 0 || ended == 20 {
			t.Errorf("%d of 20 calls of the one that uses the most have ended", ended)
		}
		starter.left.Store(1000)
		if err := <-good; err != nil {
			t.Errorf("the other's call, the largest: %v", err)
		}
		for range 20 {
			if death, ok := errors.AsType[*DeathError](<-evil); ok && death.Reason != ReasonServerMemory {
				t.Errorf("a call ended with %v", death)
			}
		}
	})
}

func TestCallsOfTheOnlyGroupAreLeftToTheKernel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 64, 8, 2)
		calls := waitingCalls(t, pool, 20, "evil/f")
		time.Sleep(time.Second)
		starter.left.Store(1)
		for range 20 {
			if err := <-calls; err != nil {
				t.Errorf("a call ended with %v", err)
			}
		}
	})
}
