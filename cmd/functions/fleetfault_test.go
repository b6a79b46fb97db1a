package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

func TestWritesThroughOneServerAreSeenByAll(t *testing.T) {
	redis := testenv.Redis(t)
	f := newFleet(t, redis.Addr, redis.Addr, redis.Addr)
	const missing = `{"error":"Code 'shared/f' is not found"}`
	for round := range 12 {
		writer := f.servers[round%len(f.servers)]
		f.putThrough(t, writer, "shared/f", numbered(round))
		if got := f.answer(writer, "shared/f"); got != fmt.Sprint(round) {
			t.Errorf("round %d: the server that took the write answers %s", round, got)
		}
		f.wantEverywhere(t, "shared/f", fmt.Sprint(round))
		for i, s := range f.servers { // and it stays so
			if got := f.answer(s, "shared/f"); got != fmt.Sprint(round) {
				t.Errorf("round %d: server %d went back to %s", round, i, got)
			}
		}
		if round%4 != 3 {
			continue
		}
		send(f.client, "DELETE", f.servers[(round+1)%len(f.servers)].url+"/functions/shared/f", "")
		f.wantEverywhere(t, "shared/f", missing)
	}
}

func TestAFleetServesOnWhenOneServerIsKilled(t *testing.T) {
	redis := testenv.Redis(t)
	f := newFleet(t, redis.Addr, redis.Addr, redis.Addr)
	f.deploy(t)
	ctx, cancel := context.WithTimeout(context.Background(), faultTime(t))
	defer cancel()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		f.run(ctx, 8)
	}()
	losses := 0
	for ctx.Err() == nil {
		lost := f.servers[rand.N(len(f.servers))]
		left := append(lost.zygotes(), lost.workers()...)
		f.lose(t, lost)
		losses++
		eventually(t, "the end of the processes of a killed server", func() bool {
			return !slices.ContainsFunc(left, procID.alive)
		})
		f.join(t, redis.Addr)
		if groups := groupsOf(lost.cmd.Process.Pid); len(groups) > 0 {
			t.Errorf("a server that started after a killed one has left its control groups: %q", groups)
		}
		f.putThrough(t, f.servers[0], "shared/f", numbered(losses))
		f.wantEverywhere(t, "shared/f", fmt.Sprint(losses))
	}
	<-finished
	t.Logf("%d servers were killed", losses)
	f.check(t)
	for excuse, n := range f.excused {
		if excuse != cutOff {
			t.Errorf("%d calls were answered %q", n, excuse)
		}
	}
	for _, s := range f.servers {
		s.stopEmpty(t)
	}
}

func TestAServerThatIsCutOffFromRedisCatchesUp(t *testing.T) {
	network := testenv.NewNetwork(t, 2)
	network.Redis()
	f := newFleet(t, network.RedisAddr(1), network.RedisAddr(0), network.RedisAddr(0))
	alone, other := f.servers[0], f.servers[1]
	f.deploy(t)
	for _, path := range []string{"shared/changed", "shared/deleted"} {
		f.putThrough(t, other, path, numbered(1))
		f.wantEverywhere(t, path, "1")
	}

	own := newLoad(t, alone.url)
	if !own.healthy() {
		t.Fatal("not every function answers before the cut")
	}
	for _, path := range []string{"shared/changed", "shared/deleted"} {
		f.wantEverywhere(t, path, "1") // loaded again, should the notice of the deploy have come after the first call
	}

	network.Cut(1)
	f.putThrough(t, other, "shared/changed", numbered(2))
	send(f.client, "DELETE", other.url+"/functions/shared/deleted", "")
	if !own.healthy() {
		t.Error("a server without Redis does not serve what it has in memory")
	}
	for _, path := range []string{"shared/changed", "shared/deleted"} {
		if got := f.answer(alone, path); got != "1" {
			t.Errorf("%s on the server that is cut off: %s", path, got)
		}
	}
	refused := send(f.client, "PUT", alone.url+"/functions/shared/changed", deployment(numbered(3), ""))
	if refused.status != http.StatusServiceUnavailable || refused.retryAfter == "" {
		t.Errorf("a write through the server that is cut off: %v", refused)
	}

	network.Heal(1)
	f.wantEverywhere(t, "shared/changed", "2")
	f.wantEverywhere(t, "shared/deleted", `{"error":"Code 'shared/deleted' is not found"}`)
	eventually(t, "a write through the server that was cut off", func() bool {
		return send(f.client, "PUT", alone.url+"/functions/shared/changed", deployment(numbered(4), "")).status == http.StatusOK
	})
	f.wantEverywhere(t, "shared/changed", "4")
	eventually(t, "every function to answer everywhere", f.healthy)
}
