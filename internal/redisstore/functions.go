package redisstore

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
	var stored, settings *redis.Cmd
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		stored = readHash(ctx, p, s.keys.function(ref), s.limits.Record(), functionFields)
		settings = readHash(ctx, p, s.keys.namespace(ref.Namespace), maxSettings, namespaceFields)
	})
	if err != nil {
		return nil, err
	}
	values, fit := hash(stored)
	if !fit {
		return nil, function.ErrRecordTooLarge
	}
	f := decodeFunction(ref, values)
	if f == nil {
		return nil, function.ErrNotFound
	}
	s.envs.tell(ctx, s.log, f, field(values, 2))
	f.Settings = settingsOf(ref.Namespace, settings)
	return f, nil
}

// Version returns the version of a function, or function.ErrNotFound.
func (s *Store) Version(ctx context.Context, ref function.Ref) (string, error) {
	version, err := s.version(ctx, ref)
	return version, at("version of "+ref.String(), err)
}

func (s *Store) version(ctx context.Context, ref function.Ref) (string, error) {
	var stored *redis.Cmd
	var codeLength *redis.IntCmd
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		stored = readHash(ctx, p, s.keys.function(ref), maxVersion, []string{"versionID", "hash"})
		codeLength = p.HStrLen(ctx, s.keys.function(ref), "code")
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
	f := &function.Function{VersionID: field(values, 0), Hash: field(values, 1)}
	if f.VersionID == "" && f.Hash == "" {
		if f, err = s.get(ctx, ref); err != nil {
			return "", err
		}
	}
	return f.Version(), nil
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
	args := []any{
		s.keys.changes(), functionNotice(next.Ref), member(next.Ref),
		storedCode(next.Code), next.Hash, next.VersionID, next.Updated, s.limits.Record(),
		strings.Join(function.OptionNames(), " "),
	}
	args = append(args, encodeOptions(next.Options)...)
	if next.Env != nil {
		env, err := next.Env.MarshalJSON()
		if err != nil {
			return err
		}
		args = append(args, "env", env)
	}
	return s.listing(ctx, next.Ref, func(keys []string) error {
		answer, err := s.run(ctx, putScript, keys, args...)
		if err != nil {
			return err
		}
		if _, tooLong := answer.(int64); tooLong {
			return function.ErrRecordTooLarge
		}
		kept, _ := answer.([]any)
		if len(kept) != 2+len(function.AllOptions) {
			return fmt.Errorf("unexpected answer of the script: %v", answer)
		}
		next.Env, next.Created, next.Options = decodeEnv(field(kept, 0)), field(kept, 1), decodeOptions(kept[2:])
		return nil
	})
}

// Delete removes a function and the lines that it printed.
func (s *Store) Delete(ctx context.Context, ref function.Ref) error {
	err := s.delisting(ctx, ref, func(keys []string) error {
		_, err := s.run(ctx, deleteScript, keys, s.keys.changes(), functionNotice(ref), member(ref))
		return err
	})
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
	for _, c := range commands {
		if failure := c.Err(); failure != nil && !wrongType(failure) {
			return judge(ctx, failure)
		}
	}
	if wrongType(err) {
		return nil
	}
	return judge(ctx, err)
}
