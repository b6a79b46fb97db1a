package redis

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// No script can count the calls of all parts of a cluster. So each store remembers how many calls the parts have and
// what they take, and asks again after totalsAge: what other servers add in that time may exceed the limits of all. The
// part that is written to is counted exactly, by its script.

// totalsAge is how old what a store knows of parts may be.
const totalsAge = time.Second

// callTotals is what parts have, as far as is known. The zero value is ready. It is safe for concurrent use.
type callTotals struct {
	mu    sync.Mutex // guards the fields below
	parts [callShards]partTotal
	read  time.Time // when all were asked last; zero for never
}

// partTotal is what a part has, of that what may make room, and the most that a namespace with such has there.
type partTotal struct{ all, spare, most amount }

// amount is how many calls there are, and what they take.
type amount struct{ calls, bytes int64 }

func (a amount) plus(b amount) amount { return amount{a.calls + b.calls, a.bytes + b.bytes} }

// of is the one that the scripts call so: "calls" or "bytes".
func (a amount) of(what string) int64 {
	if what == "calls" {
		return a.calls
	}
	return a.bytes
}

// others is what all parts but one have.
func (t *callTotals) others(shard uint32) (sum partTotal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, p := range t.parts {
		if uint32(i) != shard {
			sum.all, sum.spare = sum.all.plus(p.all), sum.spare.plus(p.spare)
		}
	}
	return sum
}

// all is what all parts have.
func (t *callTotals) all() amount { return t.others(callShards).all }

// note is told what a script answers at the end of what the part has now; see amounts in lua/call_lib.lua.
func (t *callTotals) note(shard uint32, answer any) {
	list, _ := answer.([]any)
	if len(list) != 5 {
		return
	}
	var n [5]int64
	for i, item := range list {
		n[i], _ = item.(int64) // the first one is a text
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parts[shard].all, t.parts[shard].spare = amount{n[1], n[2]}, amount{n[3], n[4]}
}

func (t *callTotals) stale() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.read.IsZero() || time.Since(t.read) > totalsAge
}

// largest is the part in which a namespace has most of what may make room, and what that of the next part has; false
// when none has any.
func (t *callTotals) largest(what string) (shard uint32, next int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	most := int64(0)
	for i, p := range t.parts {
		if n := p.most.of(what); n > most {
			shard, next, most = uint32(i), most, n
		} else {
			next = max(next, n)
		}
	}
	return shard, next, most > 0
}

// readTotals asks all parts what they have.
func (s *Store) readTotals(ctx context.Context) (all [callShards]partTotal, err error) {
	var counts [callShards][4]*redis.IntCmd
	var sizes [callShards]*redis.StringCmd
	var spares [callShards]*redis.SliceCmd
	var most [callShards][2]*redis.ZSliceCmd
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, part := range s.keys.callParts() {
			for j, set := range []string{"queued", "leases", "expiry", "telling"} {
				counts[i][j] = p.ZCard(ctx, part+set)
			}
			sizes[i] = p.Get(ctx, part+"size")
			spares[i] = p.HMGet(ctx, part+"spares", "calls", "bytes")
			for j, set := range []string{"most:calls", "most:bytes"} {
				most[i][j] = p.ZRevRangeWithScores(ctx, part+set, 0, 0)
			}
		}
		return nil
	})
	if err != nil && err != redis.Nil { //nolint:errorlint // the client's own, bare: a part without calls
		return all, storeError(ctx, err)
	}
	for i := range all {
		p := &all[i]
		p.all.calls = counts[i][0].Val() + counts[i][1].Val() + counts[i][2].Val() + counts[i][3].Val()
		p.all.bytes, _ = sizes[i].Int64() // 0 for a part without calls
		p.spare = amount{numberAt(spares[i].Val(), 0), numberAt(spares[i].Val(), 1)}
		p.most = amount{firstScore(most[i][0].Val()), firstScore(most[i][1].Val())}
	}
	return all, nil
}

// numberAt is a number of an answer; 0 for none.
func numberAt(values []any, i int) int64 {
	if i >= len(values) {
		return 0
	}
	text, _ := values[i].(string)
	n, _ := strconv.ParseInt(text, 10, 64) // 0 for a part without any
	return n
}

func firstScore(members []redis.Z) int64 {
	if len(members) == 0 {
		return 0
	}
	return int64(members[0].Score)
}

// refreshTotals has totals know what parts have now.
func (s *Store) refreshTotals(ctx context.Context) error {
	all, err := s.readTotals(ctx)
	if err != nil {
		return err
	}
	s.totals.mu.Lock()
	defer s.totals.mu.Unlock()
	s.totals.parts, s.totals.read = all, time.Now()
	return nil
}
