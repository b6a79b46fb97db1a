package bolt

import (
	"bytes"
	"context"
	"errors"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/line"
)

// Queued calls are in four buckets, under their IDs: records, JSON documents, those of their callbacks, and the texts
// that are not in memory.
var (
	callsBucket        = []byte("calls")
	callPayloadsBucket = []byte("call payloads")
	callResultsBucket  = []byte("call results")
	callbacksBucket    = []byte("callbacks")

	callBuckets = [][]byte{callsBucket, callPayloadsBucket, callResultsBucket, callbacksBucket}
)

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
	if c.OfCallback {
		return replaceIn(tx.Bucket(callbacksBucket), c.ID, record, c.Call == nil)
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
		return errors.Join(eachCall(tx.Bucket(callsBucket), func(c *queue.Call) {
			id := []byte(c.ID)
			all.Load(c, len(payloads.Get(id)), len(results.Get(id)))
		}), eachCall(tx.Bucket(callbacksBucket), all.LoadCallback))
	})
}

// eachCall calls see with each record of a bucket.
func eachCall(of *bbolt.Bucket, see func(*queue.Call)) error {
	return of.ForEach(func(id, text []byte) error {
		c, err := queue.ParseCall(string(id), text)
		if err == nil {
			see(c)
		}
		return err
	})
}
