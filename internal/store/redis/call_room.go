package redis

import (
	"context"

	"github.com/backstage/functions/internal/queue"
)

// allFullAnswer is what a script answers that has done nothing for lack of room in all parts, beside what there is too
// much of: "calls", "bytes", or what shareFull is.
const allFullAnswer = "all full"

// shareFull says that a namespace would not leave enough for others. No room helps there.
const shareFull = "share"

// withinAll runs try, which is given what other parts than that of shard have, and once more, as the last try, if it is
// refused for the limits of all parts: others may have made room, or have less than was known. Need is how much
// it is about.
func (s *Store) withinAll(
	ctx context.Context, shard uint32, limits queue.Limits, need amount,
	try func(others partTotal, last bool) (refused string, err error),
) error {
	if limits.AllCalls == 0 && limits.AllBytes == 0 {
		_, err := try(partTotal{}, true)
		return err
	}
	if s.totals.stale() {
		if err := s.refreshTotals(ctx); err != nil {
			return err
		}
	}
	refused, err := try(s.totals.others(shard), false)
	if err != nil || refused == "" {
		return err
	}
	if err := s.refreshTotals(ctx); err != nil {
		return err
	}
	if refused != shareFull {
		bounds := amount{int64(limits.AllCalls), limits.AllBytes}
		if err := s.makeRoom(ctx, refused, bounds.of(refused), need.of(refused)); err != nil {
			return err
		}
	}
	_, err = try(s.totals.others(shard), true)
	return err
}

// makeRoom drops calls that may make room, of the namespaces that have most, until so much more is within the limit or
// no part has any. It drops a thousandth of the limit at least, so that not each put has to.
func (s *Store) makeRoom(ctx context.Context, what string, limit, need int64) error {
	over := s.totals.all().of(what) + need - limit
	if over <= 0 {
		return nil
	}
	enough := max(over, limit/1000)
	for range callShards {
		shard, next, ok := s.totals.largest(what)
		if !ok {
			return nil
		}
		answer, err := s.run(ctx, evictCallsScript, []string{s.keys.callPart(shard)}, what, enough, next)
		if err != nil {
			return err
		}
		if err := s.refreshTotals(ctx); err != nil {
			return err
		}
		if enough -= evicted(answer).of(what); enough <= 0 {
			return nil
		}
	}
	return nil
}

// evicted is what lua/call_evict.lua answers.
func evicted(answer any) (gone amount) {
	if list, _ := answer.([]any); len(list) == 2 {
		gone.calls, _ = list[0].(int64)
		gone.bytes, _ = list[1].(int64)
	}
	return gone
}

// roomArgs are what room in lua/call_lib.lua needs, which makes room for a call.
func roomArgs(limits queue.Limits, others partTotal, last bool) []any {
	calls := []any{limits.Calls, limits.AllCalls, others.all.calls, others.spare.calls}
	return append(calls, roomForArgs(limits, others, last)...)
}

// roomForArgs are what roomFor needs, which makes room for more bytes of one.
func roomForArgs(limits queue.Limits, others partTotal, last bool) []any {
	when := ""
	if last {
		when = "last"
	}
	return []any{limits.Bytes, limits.AllBytes, others.all.bytes, others.spare.bytes, when}
}
