package bolt

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
)

var errOrder = fmt.Errorf("%w: its keys are out of order", errDamagedFile)

// bucket is what a transaction and a *bbolt.Bucket have in common.
type bucket interface {
	Bucket(name []byte) *bbolt.Bucket
	Cursor() *bbolt.Cursor
}

// walk reads every key and value of a bucket and of the buckets in it. It runs before checkPages, which works in a
// goroutine of bbolt: if that touched memory beyond the file's end, the process would end without an error. Looking up
// each key also reads the branch pages on the way to it.
func walk(b bucket) error {
	c, seek := b.Cursor(), b.Cursor()
	var last []byte
	for key, value := c.First(); key != nil; key, value = c.Next() {
		key = bytes.Clone(key)
		if last != nil && bytes.Compare(last, key) >= 0 {
			return errOrder
		}
		last = key
		if found, _ := seek.Seek(key); !bytes.Equal(found, key) {
			return errOrder
		}
		if value != nil {
			_ = bytes.Clone(value)
			continue
		}
		if inner := b.Bucket(key); inner != nil {
			if err := walk(inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkRuns checks that each page and its overflow pages end within the file. Otherwise some hundred million pages
// that do not exist would keep checkPages busy until memory is full.
func checkRuns(tx *bbolt.Tx) error {
	end := int(tx.Size() / int64(tx.DB().Info().PageSize))
	const meta = 2 // pages at the beginning, which are checked when the file is opened
	for id := meta; id < end; {
		page, err := tx.Page(id)
		if err != nil {
			return err
		}
		if page.Type == "free" {
			id++
			continue
		}
		if id += 1 + page.OverflowCount; id > end {
			return fmt.Errorf("%w: page %d claims %d more", errDamagedFile, page.ID, page.OverflowCount)
		}
	}
	return nil
}
