package bolt

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/backstage/functions/internal/function"
)

// Get returns a function, or function.ErrNotFound, or function.ErrDamaged for one whose code does not match its hash.
func (s *Store) Get(ctx context.Context, ref function.Ref) (found *function.Function, err error) {
	err = s.read(ctx, "get "+ref.String(), ref.Namespace, func(tx *bbolt.Tx, most int) error {
		text, err := s.record(tx, ref)
		if err != nil {
			return err
		}
		if len(text) > most {
			return errLarge
		}
		if found, err = decodeFunction(ref, text); err != nil {
			return err
		}
		if err := intact(found); err != nil {
			return err
		}
		found.Settings, err = settings(tx, ref.Namespace)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Put writes a function and returns what is stored now. It mends a damaged one: only its code is not kept.
func (s *Store) Put(ctx context.Context, f *function.Function) (stored *function.Function, err error) {
	var text []byte
	source, err := encodeSource(f)
	if err != nil {
		return nil, fmt.Errorf("embedded store: put %s: %w", f.Ref, err)
	}
	err = s.replace(ctx, "put "+f.String(), function.Change{Ref: f.Ref}, func(tx *bbolt.Tx) error {
		if err := errors.Join(f.Check(), s.Limits.Check(f.Env)); err != nil {
			return err
		}
		before, err := s.load(tx, f.Ref)
		replaced := f.Env != nil && errors.Is(err, function.ErrRecordTooLarge) // nothing of it is kept
		if err != nil && !replaced && !errors.Is(err, function.ErrNotFound) {
			return err
		}
		stored = f.Revise(before, function.NewStamp())
		if stored.Settings, err = settings(tx, f.Namespace); err != nil {
			return err
		}
		text, err = encodeFunction(stored)
		return err
	}, func(tx *bbolt.Tx) error {
		return errors.Join(save(tx, functionsBucket, f.Ref, text), saveSource(tx, f.Ref, source))
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

// Delete removes a function and the lines that it printed.
func (s *Store) Delete(ctx context.Context, ref function.Ref) error {
	err := s.update(ctx, "delete "+ref.String(), function.Change{Ref: ref}, func(tx *bbolt.Tx) error {
		return errors.Join(erase(tx, functionsBucket, ref), erase(tx, sourcesBucket, ref))
	})
	if err == nil {
		s.Forget(ref)
	}
	return err
}

// SetEnv sets one variable of a function, or returns function.ErrNotFound or a *function.EnvLimitError.
func (s *Store) SetEnv(ctx context.Context, ref function.Ref, name, value string) error {
	return s.edit(ctx, "set variable of "+ref.String(), ref, s.Limits.Setting(name, value))
}

// UnsetEnv removes one variable of a function, or returns function.ErrNotFound or function.ErrEnvNotFound.
func (s *Store) UnsetEnv(ctx context.Context, ref function.Ref, name string) error {
	return s.edit(ctx, "unset variable of "+ref.String(), ref, function.Unsetting(name))
}

func (s *Store) edit(ctx context.Context, operation string, ref function.Ref, change function.EnvEdit) error {
	var text []byte
	return s.replace(ctx, operation, function.Change{Ref: ref}, func(tx *bbolt.Tx) error {
		stored, err := s.load(tx, ref)
		if err != nil {
			return err
		}
		if err := intact(stored); err != nil {
			return err
		}
		next := stored.Restamp(function.NewStamp())
		if err := change(next.Env); err != nil {
			return err
		}
		text, err = encodeFunction(next)
		return err
	}, func(tx *bbolt.Tx) error { return save(tx, functionsBucket, ref, text) })
}

// load reads a function without its settings; a missing one is function.ErrNotFound, one that is too large
// function.ErrRecordTooLarge. Whether it is intact is not looked at.
func (s *Store) load(tx *bbolt.Tx, ref function.Ref) (*function.Function, error) {
	text, err := s.record(tx, ref)
	if err != nil {
		return nil, err
	}
	return decodeFunction(ref, text)
}

// record is the text that load decodes, until the transaction ends.
func (s *Store) record(tx *bbolt.Tx, ref function.Ref) ([]byte, error) {
	b := tx.Bucket(functionsBucket).Bucket(namespaceKey(ref.Namespace))
	if b == nil {
		return nil, function.ErrNotFound
	}
	text := b.Get([]byte(ref.ID))
	if text == nil {
		return nil, function.ErrNotFound
	}
	if int64(len(text)) > s.Limits.Record() {
		return nil, function.ErrRecordTooLarge
	}
	return text, nil
}

// save writes the text of a function's record into one of the buckets of functions.
func save(tx *bbolt.Tx, to []byte, ref function.Ref, text []byte) error {
	ns := namespaceKey(ref.Namespace)
	if len(ns) > bbolt.MaxKeySize { // bbolt checks keys, but not the names of buckets
		return berrors.ErrKeyTooLarge
	}
	b, err := tx.Bucket(to).CreateBucketIfNotExists(ns)
	if err != nil {
		return err
	}
	return b.Put([]byte(ref.ID), text)
}

// erase removes a function's record from one of the buckets of functions.
func erase(tx *bbolt.Tx, from []byte, ref function.Ref) error {
	all, key := tx.Bucket(from), namespaceKey(ref.Namespace)
	b := all.Bucket(key)
	if b == nil {
		return nil
	}
	if err := b.Delete([]byte(ref.ID)); err != nil {
		return err
	}
	if first, _ := b.Cursor().First(); first == nil {
		return all.DeleteBucket(key)
	}
	return nil
}
