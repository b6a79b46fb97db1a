package redis

import (
	"context"

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
