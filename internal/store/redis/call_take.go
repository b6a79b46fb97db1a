package redis

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/queue"
)

// TakeCalls takes calls that are due. Outside of a cluster one script does it for all parts.
func (s *Store) TakeCalls(
	ctx context.Context, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	taken, next, err = s.take(ctx, s.keys.callParts(), server, most, lease, s.looked.due)
	return taken, next, at("take calls", err)
}

// take takes what is due of the parts. Outside of a cluster look says whether what has become due is looked for.
func (s *Store) take(
	ctx context.Context, parts []string, server string, most int, lease time.Duration, look func() bool,
) (taken []*queue.Call, next time.Duration, err error) {
	switch {
	case s.tooOld.Load():
		return nil, 0, queue.ErrUnsupported
	case s.cluster:
		return s.takeFromCluster(ctx, parts, server, most, lease)
	}
	return s.takeFrom(ctx, parts, server, most, lease, look())
}

// lookInterval is how often calls that have become due, and leases that have run out, are looked for while there are
// others to take.
const lookInterval = 20 * time.Millisecond

// looks says when to look. The zero value is ready. It is safe for concurrent use.
type looks struct {
	mu   sync.Mutex // guards last
	last time.Time
}

// due says whether it is time, and notes that it is done.
func (l *looks) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.last) < lookInterval {
		return false
	}
	l.last = time.Now()
	return true
}

// takeFromCluster looks at what is first in each part, and takes from that whose first namespace has the fewest running
// calls; of those that have as few, from any.
func (s *Store) takeFromCluster(
	ctx context.Context, all []string, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	parts, next, err := s.dueParts(ctx, all)
	if err != nil {
		return nil, 0, err
	}
	for len(parts) > 0 && len(taken) < most {
		// One at a time while others wait as well, so that the one with the fewest is always the next.
		n := most - len(taken)
		if len(parts) > 1 {
			n = 1
		}
		got, wait, err := s.takeFrom(ctx, []string{parts[0].key}, server, n, lease, true)
		if err != nil && len(taken) == 0 {
			return nil, 0, err
		}
		taken = append(taken, got...)
		next = sooner(next, wait)
		if len(got) < n || err != nil {
			parts = parts[1:]
			continue
		}
		parts[0].held++
		slices.SortStableFunc(parts, func(a, b duePart) int { return cmp.Compare(a.held, b.held) })
	}
	return taken, next, nil
}

// duePart is a part with a call that is due, or whose clock has to be looked at.
type duePart struct {
	key  string
	held float64
}

// held is how many calls of a namespace run, by its score in the set of active ones: see lua/call_lib.lua.
func heldOf(score float64) float64 {
	const served = 1 << 40
	return float64(int64(score / served))
}

// dueParts are the parts that have something to take, the one whose first namespace has the fewest running calls first,
// and in how long there is more; 0 when nobody knows.
func (s *Store) dueParts(ctx context.Context, all []string) (parts []duePart, next time.Duration, err error) {
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	first := make([][5]*redis.ZSliceCmd, len(all))
	var clock *redis.TimeCmd
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, part := range all {
			for j, set := range []string{"active", "later", "leases", "expiry", "keyed"} {
				first[i][j] = p.ZRangeWithScores(ctx, part+set, 0, 0)
			}
		}
		clock = p.Time(ctx)
		return nil
	})
	if err != nil {
		return nil, 0, storeError(ctx, err)
	}
	now := float64(clock.Val().UnixMilli())
	for i, part := range all {
		active := first[i][0].Val()
		due := false
		for _, set := range first[i][1:] {
			if len(set.Val()) == 0 {
				continue
			}
			if in := set.Val()[0].Score - now; in <= 0 {
				due = true
			} else {
				next = sooner(next, time.Duration(in)*time.Millisecond)
			}
		}
		switch {
		case due:
			parts = append(parts, duePart{part, -1}) // what is due there is not known yet
		case len(active) > 0:
			parts = append(parts, duePart{part, heldOf(active[0].Score)})
		}
	}
	slices.SortStableFunc(parts, func(a, b duePart) int { return cmp.Compare(a.held, b.held) })
	return parts, next, nil
}

// sooner is the shorter one of two times, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// takeFrom takes calls of parts that one script can read. Look says to look first at what has become due.
func (s *Store) takeFrom(
	ctx context.Context, parts []string, server string, most int, lease time.Duration, look bool,
) (taken []*queue.Call, next time.Duration, err error) {
	how := ""
	if look {
		how = "look"
	}
	begin := 1 + rand.IntN(len(parts)) // of parts with as few running calls any is served first
	answer, err := s.run(ctx, takeCallsScript, parts, server, most, lease.Milliseconds(), begin, how)
	if err != nil {
		return nil, 0, err
	}
	list, _ := answer.([]any)
	if len(list) == 0 {
		return nil, 0, nil
	}
	if ms, _ := list[0].(int64); ms > 0 {
		next = time.Duration(ms) * time.Millisecond
	}
	for i := 1; i+1 < len(list); i += 2 {
		id, _ := list[i].(string)
		values, _ := list[i+1].([]any)
		c, err := parseCall(id, values)
		if err != nil || c == nil {
			s.log.WarnContext(ctx, "A queued call in Redis cannot be read", "call", id, "error", err)
			continue
		}
		payload, _ := values[len(values)-1].(string)
		c.Payload = []byte(payload)
		taken = append(taken, c)
	}
	return taken, next, nil
}

// RenewCalls renews leases.
func (s *Store) RenewCalls(
	ctx context.Context, renewals []queue.Renewal, lease time.Duration,
) (lost []queue.Lease, err error) {
	parts := map[string][]queue.Renewal{}
	for _, r := range renewals {
		part := s.keys.callsOf(r.Ref.Namespace)
		parts[part] = append(parts[part], r)
	}
	for part, of := range parts {
		args := []any{lease.Milliseconds()}
		for _, r := range of {
			args = append(args, r.ID, listName(r.Ref), r.Take, r.Progress)
		}
		answer, err := s.run(ctx, renewCallsScript, []string{part}, args...)
		if err != nil {
			return lost, at("renew calls", err)
		}
		gone := textsOf(answer)
		for _, r := range of {
			if slices.Contains(gone, r.ID+" "+strconv.Itoa(r.Take)) {
				lost = append(lost, r.Lease)
			}
		}
	}
	return lost, nil
}
