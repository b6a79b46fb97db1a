package mem

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// AddUsage adds a batch, once.
func (s *Store) AddUsage(ctx context.Context, b usage.Batch) (totals usage.Totals, err error) {
	err = s.change(ctx, "add usage", func() error {
		now := time.Now()
		totals.Servers = s.servers.Seen(b.Server, now)
		isNew := s.servers.IsNew(b.Server, b.Number)
		s.servers.Added(b.Server, b.Number)
		oldest := usage.DayOf(now.Add(-b.Keep))
		for day := range s.usage {
			if day < oldest {
				delete(s.usage, day)
			}
		}
		for _, r := range b.Records {
			day := usage.DayOf(r.Hour)
			if s.usage[day] == nil {
				s.usage[day] = map[usage.Subject]*usage.Day{}
			}
			of := s.usage[day][r.Subject]
			if of == nil {
				of = new(usage.Day)
			}
			if isNew && r.Amount != (usage.Amount{}) && day >= oldest {
				of.Add(r.Hour.UTC().Hour(), r.Amount)
				s.usage[day][r.Subject] = of
			}
			totals.Days = append(totals.Days, of.Total)
		}
		return nil
	})
	return totals, err
}

// Usage returns what a subject used by hours.
func (s *Store) Usage(ctx context.Context, of usage.Subject, from, to time.Time) (all []usage.Record, err error) {
	err = s.read(ctx, "usage of "+of.String(), func() error {
		for _, day := range usage.DaysOf(from, to) {
			if d := s.usage[day]; d[of] != nil {
				all = append(all, d[of].Records(of, usage.BeginOf(day), from, to)...)
			}
		}
		return nil
	})
	return all, err
}

// TakeTokens takes tokens of buckets.
func (s *Store) TakeTokens(ctx context.Context, takes []usage.Take) (grants []usage.Grant, err error) {
	err = s.change(ctx, "take tokens", func() error {
		grants = s.buckets.Take(takes, time.Now())
		return nil
	})
	return grants, err
}
