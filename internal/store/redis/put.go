package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
)

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
	source, err := f.Source.Pack()
	if err != nil {
		return nil, err
	}
	next := f.Revise(nil, function.NewStamp())
	if err := s.write(ctx, next, source); err != nil {
		return nil, err
	}
	next.Settings = settings
	return next, nil
}

// write stores next and completes it with what it keeps of the function that was stored before.
func (s *Store) write(ctx context.Context, next *function.Function, source function.Packed) error {
	for range maxMoves {
		home, err := s.prepareWrite(ctx, next.Ref)
		if err != nil {
			return err
		}
		args, err := s.putArgs(next, source, home)
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

func (s *Store) putArgs(next *function.Function, source function.Packed, home place) ([]any, error) {
	code, built, err := encodeTexts(next, source)
	if err != nil {
		return nil, err
	}
	args := []any{
		s.keys.changes(), functionNotice(next.Ref), home.member,
		code, next.Hash, next.VersionID, next.Updated, s.limits.Record(),
		strings.Join(function.OptionNames(), " "), ownerField, s.keys.markAt(next.Ref, home.key),
		strings.Join(slices.Concat(builtFields, sourceFields), " "),
	}
	args = append(args, built...)
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
