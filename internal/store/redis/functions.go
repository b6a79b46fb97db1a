package redis

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// Get returns a function, or function.ErrNotFound.
func (s *Store) Get(ctx context.Context, ref function.Ref) (*function.Function, error) {
	f, err := s.get(ctx, ref)
	return f, at("get "+ref.String(), err)
}

func (s *Store) get(ctx context.Context, ref function.Ref) (f *function.Function, err error) {
	err = s.readPlace(ctx, ref, func(key, mark string) (found bool, err error) {
		f, err = s.getAt(ctx, ref, key, mark)
		return f != nil, err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// readPlace has at read a function where it is. At says whether it found the function of ref there, with that mark.
func (s *Store) readPlace(
	ctx context.Context, ref function.Ref, at func(key, mark string) (found bool, err error),
) error {
	for range maxMoves {
		sp, err := s.locate(ctx, ref)
		if err != nil {
			return err
		}
		if !sp.unambiguous && !sp.found().there {
			return function.ErrNotFound
		}
		mark := ""
		if !sp.unambiguous {
			mark = sp.found().mark
		}
		found, err := at(s.here(sp).key, mark)
		switch {
		case err != nil || found:
			return err
		case sp.unambiguous:
			return function.ErrNotFound
		} // else it has moved meanwhile
	}
	return errMoving
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

// fieldsOf reads the fields of a function as they stand, its mark, and then more fields, which may have so many bytes.
func (s *Store) fieldsOf(ctx context.Context, key string, more []string, bytes int64) (values []any, err error) {
	var stored *redis.Cmd
	if err := read(ctx, s.client, func(p redis.Pipeliner) {
		stored = readHash(ctx, p, key, s.limits.Record()+bytes, slices.Concat(markedFields, more))
	}); err != nil {
		return nil, err
	}
	values, fit := hash(stored)
	if !fit {
		return nil, function.ErrRecordTooLarge
	}
	return values, nil
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
