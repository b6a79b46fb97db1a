package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// callFields are those of a record, in the order in which parseCall and lua/call_take.lua have them.
var callFields = []string{
	"spec", "status", "takes", "used", "created", "due", "until", "taken", "lease", "server", "settled", "expires",
	"reason", "history", "progress", "dropped", "step", "callback",
}

// parseCall reads the values of callFields; nil, without an error, for no call.
func parseCall(id string, values []any) (*queue.Call, error) {
	text := func(i int) string {
		value, _ := values[i].(string)
		return value
	}
	if len(values) < len(callFields) || text(0) == "" {
		return nil, nil
	}
	spec, err := queue.ParseSpec(id, []byte(text(0)))
	if err != nil {
		return nil, err
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(text(i), 10, 64)
		return n
	}
	when := func(i int) time.Time { return queue.Time(number(i)) }
	c := &queue.Call{
		Spec: spec, Status: queue.Status(text(1)), Takes: int(number(2)), Used: int(number(3)),
		Created: when(4), Due: when(5), Until: when(6), Taken: when(7), Lease: when(8), Server: text(9),
		Settled: when(10), Expires: when(11), Reason: text(12), History: parseHistory(text(13)),
		Progress: []byte(text(14)), Dropped: number(15), Step: int(number(16)), Callback: queue.Status(text(17)),
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("record of call %s: %w", id, err)
	}
	return c, nil
}

// parseHistory reads the lines that tell wrote: see lua/call_lib.lua.
func parseHistory(text string) (all []queue.Attempt) {
	for line := range strings.Lines(text) {
		begin, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		end, detail, _ := strings.Cut(rest, " ")
		from, _ := strconv.ParseInt(begin, 10, 64)
		to, _ := strconv.ParseInt(end, 10, 64)
		all = append(all, queue.Attempt{Start: queue.Time(from), End: queue.Time(to), Detail: []byte(detail)})
	}
	return all
}

// GetCall returns the record of a call.
func (s *Store) GetCall(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	c, err := s.readCall(ctx, ref, id)
	return c, at("get call "+id, err)
}

func (s *Store) callKey(ref function.Ref, id string) string {
	return s.keys.callsOf(ref.Namespace) + "call:" + id
}

func (s *Store) readCall(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	calls, err := s.readCalls(ctx, ref, []string{id}, func(_ string, damage error) error { return damage })
	if err != nil {
		return nil, err
	}
	if len(calls) == 0 {
		return nil, queue.ErrNotFound
	}
	return calls[0], nil
}

// readCalls returns the records of those calls of a function that are there. Unread is told of each that cannot be
// read; when it returns an error, so does readCalls.
func (s *Store) readCalls(
	ctx context.Context, ref function.Ref, ids []string, unread func(id string, damage error) error,
) ([]*queue.Call, error) {
	records := make([]*redis.SliceCmd, len(ids))
	results := make([]*redis.Cmd, len(ids))
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			records[i] = p.HMGet(ctx, s.callKey(ref, id), callFields...)
			results[i] = p.Do(ctx, "HSTRLEN", s.callKey(ref, id), "result")
		}
		return nil
	})
	if err != nil {
		return nil, storeError(ctx, err)
	}
	var calls []*queue.Call
	for i, id := range ids {
		c, err := parseCall(id, records[i].Val())
		if err != nil {
			if err = unread(id, err); err != nil {
				return nil, err
			}
			continue
		}
		if c == nil || c.Ref != ref {
			continue
		}
		length, _ := results[i].Val().(int64)
		c.HasResult, c.ResultBytes = length > 0, length
		calls = append(calls, c)
	}
	return calls, nil
}

// CallResult returns the answer of a call.
func (s *Store) CallResult(ctx context.Context, ref function.Ref, id string) ([]byte, error) {
	result, err := s.readAnswer(ctx, ref, id, listName(ref))
	return result, at("call result "+id, err)
}

// readAnswer reads the answer that is kept with a call of that list, which is that of a function, or empty for an
// idempotency key. It returns queue.ErrNotFound when there is none.
func (s *Store) readAnswer(ctx context.Context, ref function.Ref, id, list string) ([]byte, error) {
	values, err := s.client.HMGet(ctx, s.callKey(ref, id), "fn", "result").Result()
	if err != nil {
		return nil, storeError(ctx, err)
	}
	of, _ := values[0].(string)
	answer, _ := values[1].(string)
	if of != list || answer == "" {
		return nil, queue.ErrNotFound
	}
	return []byte(answer), nil
}
