package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Copy returns a copy of the store as it is now, and its size. The copy is an unlinked file, which the kernel removes
// when it is closed. A slow reader of it delays nobody; a long transaction would delay writes.
func (s *Store) Copy(ctx context.Context) (io.ReadCloser, int64, error) {
	file, err := nameless(filepath.Dir(s.db.Path()))
	if err != nil {
		return nil, 0, fmt.Errorf("embedded store: copy: %w", err)
	}
	var size int64
	err = s.view(ctx, "copy", func(tx *bbolt.Tx) error {
		size, err = tx.WriteTo(file)
		return err
	})
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, size, nil
}

// nameless makes an unlinked file in dir.
func nameless(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, FileName+".copy-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// CopyFile writes a copy of the store in dir to w. No server may have it open.
func CopyFile(dir string, w io.Writer) (err error) {
	path := filepath.Join(dir, FileName)
	err = guard(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockTimeout, OpenFile: openSafely})
		if err != nil {
			return explain(err)
		}
		err = db.View(func(tx *bbolt.Tx) error {
			_, err := tx.WriteTo(w)
			return err
		})
		return errors.Join(err, db.Close())
	})
	if err != nil {
		return fmt.Errorf("embedded store: copy %s: %w", path, err)
	}
	return nil
}

// CheckFile reads all of a store's file, such as a copy, and returns an error if it is damaged or no store. Functions
// whose code does not match its hash are no error: the copy is as good as the store.
func CheckFile(path string) (damage Damage, err error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() == 0 {
		err = errors.New("it is empty")
	}
	if err == nil {
		err = guard(func() error {
			damage, err = checkFile(path)
			return err
		})
	}
	if err != nil {
		return damage, fmt.Errorf("embedded store: check %s: %w", path, err)
	}
	return damage, nil
}
