package bolt

import (
	"errors"
	"os"
	"slices"

	"go.etcd.io/bbolt"
)

// create makes the file of a new store, unless there is one. It writes a temporary file, syncs it and links it to its
// name: a file that a full disk or a power failure truncated would be refused as damaged at each later start.
func create(dir, path string) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := os.CreateTemp(dir, FileName+".new-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	if err := file.Close(); err != nil {
		return err
	}
	db, err := bbolt.Open(file.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(createBuckets), db.Close()); err != nil {
		return err
	}
	// Unlike a rename, a link replaces nothing, should another process have been faster.
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir has the names in dir on the disk when it returns.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func createBuckets(tx *bbolt.Tx) error {
	for _, name := range allBuckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// complete makes the buckets that are missing. It writes nothing when all are there, so that a full disk is no
// obstacle.
func complete(db *bbolt.DB) error {
	whole := false
	err := db.View(func(tx *bbolt.Tx) error {
		whole = !slices.ContainsFunc(allBuckets, func(name []byte) bool { return tx.Bucket(name) == nil })
		return nil
	})
	if err != nil || whole {
		return err
	}
	return db.Update(createBuckets)
}
