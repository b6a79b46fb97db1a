package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/backstage/functions/internal/store/line"
	"github.com/backstage/functions/internal/store/recent"
)

// FileName is the one file of a store, in its directory.
const FileName = "functions.db"

// lockTimeout is how long Open waits for another process to let go of the file.
const lockTimeout = time.Second

// Open opens the store in the directory dir; directory and file are created if need be. Every record is read once, so
// a damaged file is an error here, not later, and is not changed. Damage has the functions whose code does not match
// its hash. A directory or a file that others may write to is an error, too. Errors name the file.
func Open(dir string) (*Store, error) {
	path := filepath.Join(dir, FileName)
	db, damage, err := open(dir, path)
	if errors.Is(err, errDamagedFile) {
		err = fmt.Errorf("%w; it is left as it is: move it away, and put a copy that functions backup made in its place; "+
			"without a file the server begins with none of the functions", err)
	}
	if err != nil {
		return nil, fmt.Errorf("embedded store: open %s: %w", path, explain(err))
	}
	calls, err := loadCalls(db)
	kept, unread := loadKept(db)
	if err := errors.Join(err, unread); err != nil {
		return nil, fmt.Errorf("embedded store: open %s: %w", path, errors.Join(err, db.Close()))
	}
	s := &Store{db: db, damage: damage, preparing: newSlots()}
	s.Calls, s.Kept = line.CallsOf(calls, s.onLine), recent.KeptOf(kept, s.onLine)
	return s, nil
}

// ErrLocked marks a file that another process has open, such as a server.
var ErrLocked = errors.New("in use by another process")

// explain says what to do when another process holds the lock of the file.
func explain(err error) error {
	if errors.Is(err, berrors.ErrTimeout) {
		return ErrLocked
	}
	return err
}

func open(dir, path string) (db *bbolt.DB, damage Damage, err error) {
	if err := makeDir(dir); err != nil {
		return nil, damage, err
	}
	err = guard(func() error {
		if damage, err = checkFile(path); err != nil {
			return err
		}
		if err := create(dir, path); err != nil {
			return err
		}
		if db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, OpenFile: openSafely}); err != nil {
			return err
		}
		if err := complete(db); err != nil {
			return errors.Join(markForeign(err), db.Close())
		}
		return nil
	})
	return db, damage, err
}

// guard returns as an error what bbolt does with a damaged file: it panics, or touches memory beyond the file's end.
func guard(what func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errDamagedFile, r)
		}
	}()
	return what()
}
