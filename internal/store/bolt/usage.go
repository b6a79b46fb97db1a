package bolt

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/usage"
)

// AddUsage adds a batch, once. It writes nothing when nothing was used.
func (s *Store) AddUsage(ctx context.Context, b usage.Batch) (totals usage.Totals, err error) {
	s.counting.Lock()
	defer s.counting.Unlock()
	now := time.Now()
	totals.Servers = s.servers.Seen(b.Server, now)
	totals.Days = make([]usage.Amount, len(b.Records))
	transaction := s.db.View
	isNew := s.servers.IsNew(b.Server, b.Number)
	if isNew && b.HasAmounts() {
		transaction = s.db.Update
	}
	err = run(ctx, "add usage", transaction, func(tx *bbolt.Tx) error {
		oldest := usage.DayOf(now.Add(-b.Keep))
		if tx.Writable() {
			if err := dropDays(tx, oldest); err != nil {
				return err
			}
		}
		for i, r := range b.Records {
			total, err := addRecord(tx, r, tx.Writable() && usage.DayOf(r.Hour) >= oldest)
			if err != nil {
				return err
			}
			totals.Days[i] = total
		}
		return nil
	})
	if err != nil {
		return usage.Totals{}, err
	}
	s.servers.Added(b.Server, b.Number)
	return totals, nil
}

// addRecord adds r, if it is to be added, and returns the total of its day.
func addRecord(tx *bbolt.Tx, r usage.Record, adds bool) (total usage.Amount, err error) {
	all, day := tx.Bucket(usageBucket), []byte(usage.DayOf(r.Hour))
	ofDay := all.Bucket(day)
	adds = adds && r.Amount != usage.Amount{}
	if ofDay == nil && adds {
		if ofDay, err = all.CreateBucket(day); err != nil {
			return total, err
		}
	}
	if ofDay == nil {
		return total, nil
	}
	d, err := readDay(ofDay, r.Subject)
	if err != nil || !adds {
		return d.Total, err
	}
	d.Add(r.Hour.UTC().Hour(), r.Amount)
	return d.Total, ofDay.Put(usageKey(r.Subject), d.JSON())
}

// readDay is what a subject used in the day of that bucket.
func readDay(ofDay *bbolt.Bucket, s usage.Subject) (usage.Day, error) {
	text := ofDay.Get(usageKey(s))
	if text == nil {
		return usage.Day{}, nil
	}
	d, err := usage.ParseDay(text)
	if err != nil {
		err = fmt.Errorf("usage of %s: %w", s, err)
	}
	return d, err
}

func usageKey(s usage.Subject) []byte { return []byte(string(s.Kind) + ":" + s.Name) }

// dropDays removes the days before oldest.
func dropDays(tx *bbolt.Tx, oldest string) error {
	all := tx.Bucket(usageBucket)
	c := all.Cursor()
	for day, _ := c.First(); day != nil && string(day) < oldest; day, _ = c.First() {
		if err := all.DeleteBucket(day); err != nil {
			return err
		}
	}
	return nil
}

// Usage returns what a subject used by hours.
func (s *Store) Usage(ctx context.Context, of usage.Subject, from, to time.Time) (all []usage.Record, err error) {
	err = s.view(ctx, "usage of "+of.String(), func(tx *bbolt.Tx) error {
		for _, day := range usage.DaysOf(from, to) {
			ofDay := tx.Bucket(usageBucket).Bucket([]byte(day))
			if ofDay == nil {
				continue
			}
			d, err := readDay(ofDay, of)
			if err != nil {
				return err
			}
			all = append(all, d.Records(of, usage.BeginOf(day), from, to)...)
		}
		return nil
	})
	return all, err
}

// TakeTokens takes tokens of buckets, which are in memory.
func (s *Store) TakeTokens(ctx context.Context, takes []usage.Take) (grants []usage.Grant, err error) {
	err = s.view(ctx, "take tokens", func(*bbolt.Tx) error {
		s.taking.Lock()
		defer s.taking.Unlock()
		grants = s.buckets.Take(takes, time.Now())
		return nil
	})
	return grants, err
}

// checkUsage decodes what was used.
func checkUsage(tx *bbolt.Tx) error {
	all := tx.Bucket(usageBucket)
	if all == nil {
		return nil
	}
	return all.ForEachBucket(func(day []byte) error {
		return all.Bucket(day).ForEach(func(_, text []byte) error {
			_, err := usage.ParseDay(text)
			return err
		})
	})
}
