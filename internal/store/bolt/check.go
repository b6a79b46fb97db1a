package bolt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/usage"
)

// Damage are the functions whose code does not match its hash.
type Damage struct {
	// Count is how many there are.
	Count int
	// First are the first few of them, in the order of lists.
	First []function.Ref
}

// maxNamed is how many functions a Damage names.
const maxNamed = 10

// String names the functions.
func (d Damage) String() string {
	names := make([]string, len(d.First))
	for i, ref := range d.First {
		names[i] = ref.String()
	}
	if more := d.Count - len(d.First); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// errDamagedFile marks a file that is no store, or is truncated.
var errDamagedFile = errors.New("damaged file")

// checkFile reads all of the file, opened read-only. A missing or an empty file is valid. Functions whose code does not
// match its hash are no error: the others are intact. It may panic.
func checkFile(path string) (damage Damage, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) || (err == nil && info.Size() == 0) {
		return damage, nil
	}
	if err != nil {
		return damage, err
	}
	var file *os.File
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		ReadOnly: true, Timeout: lockTimeout,
		OpenFile: func(path string, flag int, perm fs.FileMode) (opened *os.File, err error) {
			opened, err = openSafely(path, flag, perm)
			file = opened
			return opened, err
		},
	})
	if err != nil {
		return damage, markForeign(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("%w: %d bytes of %d are there", errDamagedFile, info.Size(), tx.Size())
		}
		if err := checkTree(tx, file); err != nil {
			return err
		}
		if err := walk(tx); err != nil {
			return err
		}
		if damage, err = checkRecords(tx); err != nil {
			return fmt.Errorf("%w: %w", errDamagedFile, err)
		}
		return checkPages(tx)
	})
	return damage, err
}

// markForeign marks an error of bbolt that says that a file is not a bbolt file, or not one of a store, or is
// truncated.
func markForeign(err error) error {
	for _, foreign := range []error{
		berrors.ErrInvalid, berrors.ErrVersionMismatch, berrors.ErrChecksum, berrors.ErrInvalidMapping,
		berrors.ErrIncompatibleValue, io.EOF, io.ErrUnexpectedEOF,
	} {
		if errors.Is(err, foreign) {
			return fmt.Errorf("%w: %w", errDamagedFile, err)
		}
	}
	return err
}

// checkRecords decodes every record and hashes every function's code.
func checkRecords(tx *bbolt.Tx) (damage Damage, err error) {
	if all := tx.Bucket(functionsBucket); all != nil {
		err := all.ForEachBucket(func(ns []byte) error {
			return all.Bucket(ns).ForEach(func(id, text []byte) error {
				f, err := decodeFunction(refOf(ns, id), text)
				if err == nil && intact(f) != nil {
					damage.add(f.Ref)
				}
				return err
			})
		})
		if err != nil {
			return damage, err
		}
	}
	if err := checkModules(tx); err != nil {
		return damage, err
	}
	if err := checkUsage(tx); err != nil {
		return damage, err
	}
	for bucket, decode := range map[string]func(name string, text []byte) error{
		string(namespacesBucket): func(name string, text []byte) error {
			_, err := decodeNamespace(name, text)
			return err
		},
		string(routesBucket): func(name string, text []byte) error {
			_, err := function.ParseRoute(name, text)
			return err
		},
		string(limitsBucket): func(name string, text []byte) error {
			_, err := usage.ParseNamespace(name, text)
			return err
		},
		string(publicBucket): func(key string, access []byte) error {
			_, err := parsePublic([]byte(key), access)
			return err
		},
		string(auditBucket): func(key string, text []byte) error {
			_, err := parseAudit([]byte(key), text)
			return err
		},
		string(secretsBucket): func(key string, _ []byte) error {
			_, err := parseSecretKey([]byte(key))
			return err
		},
		string(callsBucket): func(id string, text []byte) error {
			_, err := queue.ParseCall(id, text)
			return err
		},
		string(keptBucket): func(id string, text []byte) error {
			_, err := queue.ParseKept(id, text)
			return err
		},
		string(keysBucket): func(id string, text []byte) error {
			_, err := identity.Parse(id, text)
			return err
		},
	} {
		if all := tx.Bucket([]byte(bucket)); all != nil {
			if err := all.ForEach(func(name, text []byte) error { return decode(string(name), text) }); err != nil {
				return damage, err
			}
		}
	}
	return damage, nil
}

// checkModules decodes the records of all modules.
func checkModules(tx *bbolt.Tx) error {
	all := tx.Bucket(modulesBucket)
	if all == nil {
		return nil
	}
	return all.ForEachBucket(func(ns []byte) error {
		return all.Bucket(ns).ForEach(func(name, text []byte) error {
			ref := refOf(ns, name)
			_, err := function.ParseModule(function.ModuleRef{Namespace: ref.Namespace, Name: ref.ID}, text, nil, 0)
			return err
		})
	})
}

func (d *Damage) add(ref function.Ref) {
	if d.Count++; len(d.First) < maxNamed {
		d.First = append(d.First, ref)
	}
}

// checkPages checks that each page of the file is either in use or free.
func checkPages(tx *bbolt.Tx) error {
	var first error
	for err := range tx.Check() {
		if first == nil {
			first = fmt.Errorf("%w: %w", errDamagedFile, err)
		}
	}
	return first
}
