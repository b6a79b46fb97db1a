package boltstore

import (
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// checkFile reads all of the file without the right to write to it. A missing or an empty file is sound. It may panic.
func checkFile(path string) (err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) || (err == nil && info.Size() == 0) {
		return nil
	}
	if err != nil {
		return err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		ReadOnly: true, PreLoadFreelist: true, Timeout: lockTimeout, OpenFile: openSafely,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(tx *bolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("damaged file: %d bytes of %d are there", info.Size(), tx.Size())
		}
		if err := checkRuns(tx); err != nil {
			return err
		}
		if err := walk(tx); err != nil {
			return err
		}
		if err := checkRecords(tx); err != nil {
			return err
		}
		return checkPages(tx)
	})
}

// checkRecords decodes every record.
func checkRecords(tx *bolt.Tx) error {
	if all := tx.Bucket(functionsBucket); all != nil {
		err := all.ForEachBucket(func(ns []byte) error {
			return all.Bucket(ns).ForEach(func(id, text []byte) error {
				_, err := decodeFunction(refOf(ns, id), text)
				return err
			})
		})
		if err != nil {
			return err
		}
	}
	if all := tx.Bucket(namespacesBucket); all != nil {
		return all.ForEach(func(name, text []byte) error {
			_, err := decodeNamespace(string(name), text)
			return err
		})
	}
	return nil
}

// checkPages checks that each page of the file is either in use or free.
func checkPages(tx *bolt.Tx) error {
	var first error
	for err := range tx.Check() {
		if first == nil {
			first = fmt.Errorf("damaged file: %w", err)
		}
	}
	return first
}
