package bolt

import (
	"bytes"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/recent"
)

// keptBucket has the records of calls whose callers have waited, under their IDs.
var keptBucket = []byte("kept calls")

// keptFile keeps the texts of these records.
type keptFile struct{ db *bbolt.DB }

// Save writes all changes in one transaction.
func (f keptFile) Save(added []recent.Record, dropped []string) error {
	return f.db.Update(func(tx *bbolt.Tx) error {
		all := tx.Bucket(keptBucket)
		for _, record := range added {
			if err := all.Put([]byte(record.ID), record.Text); err != nil {
				return err
			}
		}
		for _, id := range dropped {
			if err := all.Delete([]byte(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Text returns that of a record; nil for none.
func (f keptFile) Text(id string) (text []byte, err error) {
	err = f.db.View(func(tx *bbolt.Tx) error {
		text = bytes.Clone(tx.Bucket(keptBucket).Get([]byte(id)))
		return nil
	})
	return text, err
}

// loadKept returns the records of the file.
func loadKept(db *bbolt.DB) (*recent.Records, error) {
	all := recent.New(keptFile{db}, nil)
	return all, db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(keptBucket).ForEach(func(id, text []byte) error {
			k, err := queue.ParseKept(string(id), text)
			if err == nil {
				all.Load(k, len(text))
			}
			return err
		})
	})
}
