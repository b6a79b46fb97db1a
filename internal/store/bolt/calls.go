package bolt

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/line"
)

// Queued calls are in three buckets, under their IDs: records, JSON documents, and the texts that are not in memory.
var (
	callsBucket        = []byte("calls")
	callPayloadsBucket = []byte("call payloads")
	callResultsBucket  = []byte("call results")

	callBuckets = [][]byte{callsBucket, callPayloadsBucket, callResultsBucket}
)

// PutCall adds a call.
func (s *Store) PutCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (placed queue.Placed, err error) {
	err = s.onLine(ctx, "put call", func() error {
		placed, err = s.line.Put(ctx, spec, limits)
		return err
	})
	return placed, err
}

// TakeCalls takes calls that are due.
func (s *Store) TakeCalls(
	ctx context.Context, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	err = s.onLine(ctx, "take calls", func() error {
		taken, next, err = s.line.Take(ctx, server, most, lease)
		return err
	})
	return taken, next, err
}

// RenewCalls renews leases.
func (s *Store) RenewCalls(
	ctx context.Context, renewals []queue.Renewal, lease time.Duration,
) (lost []queue.Lease, err error) {
	err = s.onLine(ctx, "renew calls", func() error {
		lost, err = s.line.Renew(ctx, renewals, lease)
		return err
	})
	return lost, err
}

// SettleCall ends a take.
func (s *Store) SettleCall(ctx context.Context, how *queue.Settlement) (status queue.Status, err error) {
	err = s.onLine(ctx, "settle call", func() error {
		status, err = s.line.Settle(ctx, how)
		return err
	})
	return status, err
}

// CancelCall cancels a call.
func (s *Store) CancelCall(ctx context.Context, ref function.Ref, id string) error {
	return s.onLine(ctx, "cancel call", func() error { return s.line.Cancel(ctx, ref, id) })
}

// RedriveCall queues a dead or cancelled call again.
func (s *Store) RedriveCall(ctx context.Context, ref function.Ref, id string) error {
	return s.onLine(ctx, "redrive call", func() error { return s.line.Redrive(ctx, ref, id) })
}

// GetCall returns the record of a call.
func (s *Store) GetCall(ctx context.Context, ref function.Ref, id string) (c *queue.Call, err error) {
	err = s.onLine(ctx, "get call", func() error {
		c, err = s.line.Get(ctx, ref, id)
		return err
	})
	return c, err
}

// CallResult returns the answer of a call.
func (s *Store) CallResult(ctx context.Context, ref function.Ref, id string) (result []byte, err error) {
	err = s.onLine(ctx, "call result", func() error {
		result, err = s.line.Result(ctx, ref, id)
		return err
	})
	return result, err
}

// ListCalls returns a page of the calls of a function.
func (s *Store) ListCalls(ctx context.Context, q *queue.Query) (page queue.Page, err error) {
	err = s.onLine(ctx, "list calls", func() error {
		page, err = s.line.List(ctx, q)
		return err
	})
	return page, err
}

// CallStats counts all calls.
func (s *Store) CallStats(ctx context.Context) (stats queue.Stats, err error) {
	err = s.onLine(ctx, "call stats", func() error {
		stats, err = s.line.Stats(ctx)
		return err
	})
	return stats, err
}

// onLine runs what, which has the errors of the file. Its own begin with the name of the operation.
func (s *Store) onLine(ctx context.Context, operation string, what func() error) error {
	return run(ctx, operation, func(func(*bbolt.Tx) error) error {
		if s.closed.Load() {
			return berrors.ErrDatabaseNotOpen
		}
		return what()
	}, nil)
}

// callFile keeps what the queue does not have in memory, and all of it across restarts.
type callFile struct{ db *bbolt.DB }

// Save writes all changes in one transaction.
func (f callFile) Save(changes []line.Change) error {
	return f.db.Update(func(tx *bbolt.Tx) error {
		for i := range changes {
			if err := saveCall(tx, &changes[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func saveCall(tx *bbolt.Tx, c *line.Change) error {
	var record []byte
	if c.Call != nil {
		var err error
		if record, err = c.Call.Record(); err != nil {
			return err
		}
	}
	return errors.Join(
		replaceIn(tx.Bucket(callsBucket), c.ID, record, c.Call == nil),
		replaceIn(tx.Bucket(callPayloadsBucket), c.ID, c.Payload, c.NoPayload),
		replaceIn(tx.Bucket(callResultsBucket), c.ID, c.Result, c.NoResult),
	)
}

// replaceIn writes value unless it is nil; then it removes what is there if gone is set.
func replaceIn(b *bbolt.Bucket, id string, value []byte, gone bool) error {
	switch {
	case value != nil:
		return b.Put([]byte(id), value)
	case gone:
		return b.Delete([]byte(id))
	}
	return nil
}

// Payload returns that of a call.
func (f callFile) Payload(id string) ([]byte, error) { return f.text(callPayloadsBucket, id) }

// Result returns that of a call.
func (f callFile) Result(id string) ([]byte, error) { return f.text(callResultsBucket, id) }

func (f callFile) text(bucket []byte, id string) (text []byte, err error) {
	err = f.db.View(func(tx *bbolt.Tx) error {
		text = bytes.Clone(tx.Bucket(bucket).Get([]byte(id)))
		return nil
	})
	return text, err
}

// loadCalls returns the queue of the file.
func loadCalls(db *bbolt.DB) (*line.Line, error) {
	all := line.New(callFile{db}, nil)
	return all, db.View(func(tx *bbolt.Tx) error {
		payloads, results := tx.Bucket(callPayloadsBucket), tx.Bucket(callResultsBucket)
		return tx.Bucket(callsBucket).ForEach(func(id, text []byte) error {
			c, err := queue.ParseCall(string(id), text)
			if err == nil {
				all.Load(c, len(payloads.Get(id)), len(results.Get(id)))
			}
			return err
		})
	})
}
