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
