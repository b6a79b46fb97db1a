package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// Get returns a function, or function.ErrNotFound.
func (s *Store) Get(ctx context.Context, ref function.Ref) (*function.Function, error) {
	f, err := s.get(ctx, ref)
	return f, at("get "+ref.String(), err)
}

func (s *Store) get(ctx context.Context, ref function.Ref) (*function.Function, error) {
	for range maxMoves {
		sp, err := s.locate(ctx, ref)
		if err != nil {
			return nil, err
		}
		if !sp.unambiguous && !sp.found().there {
			return nil, function.ErrNotFound
		}
		key, mark := s.here(sp).key, ""
		if !sp.unambiguous {
			mark = sp.found().mark
		}
		f, err := s.getAt(ctx, ref, key, mark)
		switch {
		case err != nil || f != nil:
			return f, err
		case sp.unambiguous:
			return nil, function.ErrNotFound
		} // else it has moved meanwhile
	}
	return nil, errMoving
}

// getAt reads a function; nil where there is none with that mark.
func (s *Store) getAt(ctx context.Context, ref function.Ref, key, mark string) (*function.Function, error) {
	var stored *redis.Cmd
	var settings func() *function.Namespace
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		stored = readHash(ctx, p, key, s.limits.Record(), markedFields)
		settings = s.readSettings(ctx, p, ref.Namespace)
	})
	if err != nil {
		return nil, err
	}
	values, fit := hash(stored)
	if !fit {
		return nil, function.ErrRecordTooLarge
	}
	f := decodeFunction(ref, values)
	if f == nil || field(values, len(functionFields)) != mark {
		return nil, nil //nolint:nilnil // see above
	}
	s.envs.report(ctx, s.log, f, field(values, 2))
	f.Settings = settings()
	return f, nil
}

// fieldsOf reads the fields of a function as they stand, and its mark.
func (s *Store) fieldsOf(ctx context.Context, key string) (values []any, err error) {
	var stored *redis.Cmd
	if err := read(ctx, s.client, func(p redis.Pipeliner) {
		stored = readHash(ctx, p, key, s.limits.Record(), markedFields)
	}); err != nil {
		return nil, err
	}
	values, fit := hash(stored)
	if !fit {
		return nil, function.ErrRecordTooLarge
	}
	return values, nil
}

// Revision returns the revision of a function, or function.ErrNotFound.
func (s *Store) Revision(ctx context.Context, ref function.Ref) (string, error) {
	revision, err := s.revision(ctx, ref)
	return revision, at("revision of "+ref.String(), err)
}

func (s *Store) revision(ctx context.Context, ref function.Ref) (string, error) {
	sp, err := s.locate(ctx, ref)
	if err != nil {
		return "", err
	}
	if sp.unambiguous {
		return s.revisionAt(ctx, ref, s.here(sp).key)
	}
	found := sp.found()
	if !found.there {
		return "", function.ErrNotFound
	}
	return s.revisionOf(ctx, ref, found.versionID, found.hash)
}

func (s *Store) revisionAt(ctx context.Context, ref function.Ref, key string) (string, error) {
	var stored *redis.Cmd
	var codeLength *redis.IntCmd
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		stored = readHash(ctx, p, key, maxRevision, []string{"versionID", "hash"})
		codeLength = p.HStrLen(ctx, key, "code")
	})
	switch {
	case err != nil:
		return "", err
	case codeLength.Val() == 0:
		return "", function.ErrNotFound
	}
	values, fit := hash(stored)
	if !fit {
		return "", function.ErrRecordTooLarge
	}
	return s.revisionOf(ctx, ref, field(values, 0), field(values, 1))
}

// revisionOf is the revision of a function with these fields, which are not enough when both are empty.
func (s *Store) revisionOf(ctx context.Context, ref function.Ref, versionID, hash string) (string, error) {
	f := &function.Function{VersionID: versionID, Hash: hash}
	if versionID == "" && hash == "" {
		var err error
		if f, err = s.get(ctx, ref); err != nil {
			return "", err
		}
	}
	return f.Revision(), nil
}

// Put writes a function and returns what is stored now.
func (s *Store) Put(ctx context.Context, f *function.Function) (*function.Function, error) {
	stored, err := s.put(ctx, f)
	return stored, at("put "+f.String(), err)
}

func (s *Store) put(ctx context.Context, f *function.Function) (*function.Function, error) {
	if err := errors.Join(f.Check(), s.limits.Check(f.Env)); err != nil {
		return nil, err
	}
	settings, err := s.settings(ctx, f.Namespace)
	if err != nil {
		return nil, err
	}
	next := f.Revise(nil, function.NewStamp())
	if err := s.write(ctx, next); err != nil {
		return nil, err
	}
	next.Settings = settings
	return next, nil
}

// write stores next and completes it with what it keeps of the function that was stored before.
func (s *Store) write(ctx context.Context, next *function.Function) error {
	for range maxMoves {
		home, err := s.settle(ctx, next.Ref)
		if err != nil {
			return err
		}
		args, err := s.putArgs(next, home)
		if err != nil {
			return err
		}
		met, err := s.writeAt(ctx, next, home, args)
		if err != nil || !met {
			return err
		}
	}
	return errMoving
}

func (s *Store) putArgs(next *function.Function, home place) ([]any, error) {
	args := []any{
		s.keys.changes(), functionNotice(next.Ref), home.member,
		storedCode(next.Code), next.Hash, next.VersionID, next.Updated, s.limits.Record(),
		strings.Join(function.OptionNames(), " "), ownerField, s.keys.markAt(next.Ref, home.key),
	}
	args = append(args, encodeOptions(next.Options)...)
	if next.Env == nil {
		return args, nil
	}
	env, err := next.Env.MarshalJSON()
	return append(args, "env", env), err
}

// writeAt says whether another function is there, and nothing was written.
func (s *Store) writeAt(ctx context.Context, next *function.Function, home place, args []any) (met bool, err error) {
	err = s.listing(ctx, home, func(keys []string) error {
		answer, err := s.run(ctx, putScript, keys, args...)
		if err != nil {
			return err
		}
		if _, tooLong := answer.(int64); tooLong {
			return function.ErrRecordTooLarge
		}
		if met = answer == "met"; met {
			return nil
		}
		kept, _ := answer.([]any)
		if len(kept) != 2+len(function.AllOptions) {
			return fmt.Errorf("unexpected answer of the script: %v", answer)
		}
		next.Env, next.Created, next.Options = decodeEnv(field(kept, 0)), field(kept, 1), decodeOptions(kept[2:])
		return nil
	})
	return met, err
}

// Delete removes a function and the lines that it printed.
func (s *Store) Delete(ctx context.Context, ref function.Ref) error {
	var err error
	if unambiguous(ref) && len(sameMember(ref)) < 2 {
		err = s.delisting(ctx, s.keys.own(ref), func(keys []string) error {
			_, err := s.run(ctx, deleteScript, keys, s.keys.changes(), functionNotice(ref), member(ref))
			return err
		})
	} else {
		err = s.remove(ctx, ref)
	}
	if err == nil {
		err = s.logStore.forget(ctx, ref)
	}
	return at("delete "+ref.String(), err)
}

// read sends some reads together. A key of an unexpected type is no error: to a reader there is nothing.
func read(ctx context.Context, client redis.UniversalClient, queue func(redis.Pipeliner)) error {
	commands, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		queue(p)
		return nil
	})
	return sentError(ctx, commands, err, absent)
}

// sentError is the error of commands that were sent together with the result err, but for errors that are harmless.
func sentError(ctx context.Context, commands []redis.Cmder, err error, harmless func(error) bool) error {
	for _, c := range commands {
		if failure := c.Err(); failure != nil && !harmless(failure) {
			return storeError(ctx, failure)
		}
	}
	if harmless(err) {
		return nil
	}
	return storeError(ctx, err)
}

// absent says whether err is that there is nothing to read.
func absent(err error) bool {
	return err == redis.Nil || wrongType(err) //nolint:errorlint // answers come bare
}
