package main

import (
	"context"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"
)

// faultTime is how long faults are made: FAULTS, such as 1m, or a time that suits a run of all tests.
func faultTime(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("FAULTS")
	if text == "" {
		return 8 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("FAULTS: %v", err)
	}
	return d
}

// harm does something to the processes of s that dice choose, and names it; it returns an empty name when there was no
// process to hit.
func harm(s *server, dice *rand.Rand) string {
	zygotes := s.zygotes()
	roll := dice.IntN(1000)
	victims, parents := zygotes, []procID{{pid: s.cmd.Process.Pid}}
	name, sig := "zygotes killed", syscall.SIGKILL
	switch {
	case roll < 4:
		name, sig = "zygotes stopped", syscall.SIGSTOP
	case roll < 20:
	default:
		victims, parents, name = s.workers(), zygotes, "workers killed"
		if roll < 250 {
			name, sig = "workers stopped", syscall.SIGSTOP
		}
	}
	if len(victims) == 0 || !signalChild(victims[dice.IntN(len(victims))], parents, sig) {
		return ""
	}
	return name
}

func TestEveryCallIsAnsweredWhileWorkersAndZygotesDie(t *testing.T) {
	const prewarmed = 2
	// A call whose worker is stopped, and not killed later, ends with its time.
	s := startServer(t, "POOL_SIZE=16", "POOL_PREWARMED=2", "WORKER_IDLE_TIMEOUT=1s", "CODE_ASYNC_TIMEOUT=30s")
	s.discardLogs()
	l := newLoad(t, s.url)
	l.deploy(t)
	if !l.healthy() {
		t.Fatal("not every function answers before any harm is done")
	}
	before := s.atRest(t, l, prewarmed)
	doHarm(t, s, l)
	l.check(t)
	eventually(t, "every function to answer", l.healthy)
	s.atRest(t, l, prewarmed)
	t.Logf("before: %v; after: %v", before, s.footprint())
	before.wantNoMoreDescriptors(t, s)
	s.stopEmpty(t)
}

// doHarm puts l on s and harms its processes for faultTime. It returns when every call has its answer.
func doHarm(t *testing.T, s *server, l *load) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	dice, done := rand.New(rand.NewPCG(seed, 0)), map[string]int{}
	ctx, cancel := context.WithTimeout(context.Background(), faultTime(t))
	defer cancel()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		l.run(ctx, 12)
	}()
	tick := time.NewTicker(60 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			if what := harm(s, dice); what != "" {
				done[what]++
			}
		case <-ctx.Done():
		}
	}
	<-finished
	t.Logf("seed %d: %v", seed, done)
}
