package redis

import (
	"cmp"
	"context"
	"slices"
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
	full  time.Time // when no part could make room last
}

type partTotal struct{ calls, bytes int64 }

// others is what all parts but one have.
func (t *callTotals) others(shard uint32) (sum partTotal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, p := range t.parts {
		if uint32(i) != shard {
			sum.calls += p.calls
			sum.bytes += p.bytes
		}
	}
	return sum
}

// note is told what a part has now.
func (t *callTotals) note(shard uint32, now partTotal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parts[shard] = now
}

// noteAnswer is note of the answer of a script that has added something: the word for it, calls, and bytes.
func (t *callTotals) noteAnswer(shard uint32, answer any) {
	if list, _ := answer.([]any); len(list) == 3 {
		calls, _ := list[1].(int64)
		bytes, _ := list[2].(int64)
		t.note(shard, partTotal{calls, bytes})
	}
}

func (t *callTotals) stale() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.read.IsZero() || time.Since(t.read) > totalsAge
}

// fullest are the parts, that which takes most first, unless none of them could make room a moment ago.
func (t *callTotals) fullest() (shards []uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.full.IsZero() && time.Since(t.full) < totalsAge {
		return nil
	}
	for i := range t.parts {
		shards = append(shards, uint32(i))
	}
	slices.SortFunc(shards, func(a, b uint32) int { return cmp.Compare(t.parts[b].bytes, t.parts[a].bytes) })
	return shards
}

// noRoom notes that no part could make room.
func (t *callTotals) noRoom() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.full = time.Now()
}

// readTotals asks all parts what they have.
func (s *Store) readTotals(ctx context.Context) (all [callShards]partTotal, err error) {
	var counts [callShards][4]*redis.IntCmd
	var sizes [callShards]*redis.StringCmd
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, part := range s.keys.callParts() {
			for j, set := range []string{"queued", "leases", "expiry", "telling"} {
				counts[i][j] = p.ZCard(ctx, part+set)
			}
			sizes[i] = p.Get(ctx, part+"size")
		}
		return nil
	})
	if err != nil && err != redis.Nil { //nolint:errorlint // the client's own, bare: a part without calls
		return all, storeError(ctx, err)
	}
	for i := range all {
		all[i].calls = counts[i][0].Val() + counts[i][1].Val() + counts[i][2].Val() + counts[i][3].Val()
		all[i].bytes, _ = sizes[i].Int64() // 0 for a part without calls
	}
	return all, nil
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

// withinAll runs try, which is given what other parts than that of shard have, and once more, as the last try, if it is
// refused for the limits of all parts and others have made room.
func (s *Store) withinAll(
	ctx context.Context, shard uint32, bounded bool, try func(others partTotal, last bool) (refused bool, err error),
) error {
	if !bounded {
		_, err := try(partTotal{}, true)
		return err
	}
	if s.totals.stale() {
		if err := s.refreshTotals(ctx); err != nil {
			return err
		}
	}
	refused, err := try(s.totals.others(shard), false)
	if err != nil || !refused {
		return err
	}
	if err := s.makeRoomElsewhere(ctx); err != nil {
		return err
	}
	_, err = try(s.totals.others(shard), true)
	return err
}

// makeRoomElsewhere drops calls that may make room from the part that takes most of those that have such.
func (s *Store) makeRoomElsewhere(ctx context.Context) error {
	if err := s.refreshTotals(ctx); err != nil {
		return err
	}
	shards := s.totals.fullest()
	for _, shard := range shards {
		dropped, err := s.run(ctx, evictCallsScript, []string{s.keys.callPart(shard)})
		if err != nil {
			return err
		}
		if n, _ := dropped.(int64); n > 0 {
			return s.refreshTotals(ctx)
		}
	}
	if shards != nil {
		s.totals.noRoom()
	}
	return nil
}
