package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/usage"
)

const (
	// usageBatch is how many records, or buckets, are sent at once.
	usageBatch = 500
	// maxDay bounds the fields of a day that are read.
	maxDay = 16 << 10
)

// amountFields are the fields of the total of a day, in the order of the amounts in usage_add.lua.
var amountFields = []string{"calls", "cpu", "memory", "egress"}

// dayFields are those of its hours.
var dayFields = func() (fields []string) {
	for hour := range 24 {
		for _, name := range amountFields {
			fields = append(fields, name+":"+strconv.Itoa(hour))
		}
	}
	return fields
}()

// AddUsage adds a batch. A part of it that was added before is not added again.
func (s *Store) AddUsage(ctx context.Context, b usage.Batch) (usage.Totals, error) {
	totals, err := s.addUsage(ctx, b)
	return totals, at("add usage", err)
}

func (s *Store) addUsage(ctx context.Context, b usage.Batch) (totals usage.Totals, err error) {
	count, err := s.run(ctx, serversScript, []string{s.keys.servers()}, b.Server, usage.ServerAge.Milliseconds())
	if err != nil {
		return totals, err
	}
	if n, ok := count.(int64); ok {
		totals.Servers = int(n)
	}
	for records := range slices.Chunk(b.Records, usageBatch) {
		var added []*redis.Cmd
		err := s.evicting(ctx, func() error {
			added = nil
			_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
				for _, r := range records {
					added = append(added, s.addRecord(ctx, p, &b, r))
				}
				return nil
			})
			return err
		})
		if err != nil {
			return usage.Totals{}, storeError(ctx, err)
		}
		for _, c := range added {
			values, _ := c.Val().([]any)
			totals.Days = append(totals.Days, amountIn(values))
		}
	}
	return totals, nil
}

// addRecord queues the script. It sends the whole of it, since a pipeline cannot send it again to a Redis that does not
// know its hash.
func (s *Store) addRecord(ctx context.Context, p redis.Pipeliner, b *usage.Batch, r usage.Record) *redis.Cmd {
	day := usage.BeginOf(usage.DayOf(r.Hour))
	ends := day.Add(b.Keep).Add(24 * time.Hour)
	return p.Eval(ctx, addUsageSource, []string{s.keys.usage(r.Subject, usage.DayOf(r.Hour))},
		b.Server, b.Number, r.Hour.UTC().Hour(), r.Calls, int64(r.CPU), r.Memory, r.Egress, ends.UnixMilli())
}

// amountIn reads the values of amountFields.
func amountIn(values []any) usage.Amount {
	n := func(i int) int64 {
		v, _ := strconv.ParseInt(field(values, i), 10, 64) // what others have written is nothing
		return v
	}
	return usage.Amount{Calls: n(0), CPU: time.Duration(n(1)), Memory: n(2), Egress: n(3)}
}

// Usage returns what a subject used by hours.
func (s *Store) Usage(ctx context.Context, of usage.Subject, from, to time.Time) ([]usage.Record, error) {
	var all []usage.Record
	for days := range slices.Chunk(usage.DaysOf(from, to), usageBatch) {
		found := make([]*redis.Cmd, len(days))
		err := read(ctx, s.client, func(p redis.Pipeliner) {
			for i, day := range days {
				found[i] = readHash(ctx, p, s.keys.usage(of, day), maxDay, dayFields)
			}
		})
		if err != nil {
			return nil, at("usage of "+of.String(), err)
		}
		for i, day := range days {
			values, fits := hash(found[i])
			if !fits {
				s.log.WarnContext(ctx, "Usage in Redis is too long to be read", "of", of.String(), "day", day)
			}
			var d usage.Day
			for hour := range len(values) / len(amountFields) {
				if a := amountIn(values[hour*len(amountFields):]); a != (usage.Amount{}) {
					d.Add(hour, a)
				}
			}
			all = append(all, d.Records(of, usage.BeginOf(day), from, to)...)
		}
	}
	return all, nil
}

// TakeTokens takes tokens of buckets.
func (s *Store) TakeTokens(ctx context.Context, takes []usage.Take) ([]usage.Grant, error) {
	grants, err := s.takeTokens(ctx, takes)
	return grants, at("take tokens", err)
}

func (s *Store) takeTokens(ctx context.Context, takes []usage.Take) (grants []usage.Grant, err error) {
	for some := range slices.Chunk(takes, usageBatch) {
		taken := make([]*redis.Cmd, len(some))
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, t := range some {
				taken[i] = p.Eval(ctx, takeSource, []string{s.keys.bucket(t.Subject)},
					t.Want, t.Rate.Calls, t.Rate.Per.Microseconds())
			}
			return nil
		})
		if err != nil {
			return nil, storeError(ctx, err)
		}
		for i, c := range taken {
			values, err := c.Int64Slice()
			if err != nil || len(values) != 3 {
				return nil, fmt.Errorf("the bucket of %s answered %v, %w", some[i].Subject, c.Val(), err)
			}
			g := usage.Grant{Tokens: int(values[0]), Left: int(values[2])}
			if g.Tokens < some[i].Want {
				g.Wait = time.Duration(values[1]) * time.Microsecond
			}
			grants = append(grants, g)
		}
	}
	return grants, nil
}
