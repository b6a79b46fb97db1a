package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/backstage/functions/internal/function"
)

// An environment is read, changed here and written back if nobody else has written since; else the edit is tried again,
// after a random pause that grows up to maxPause. Only other servers can come between: those of this one hold a lock.
const (
	maxAttempts = 100
	maxPause    = 50 * time.Millisecond
)

var errContended = fmt.Errorf("%w: other writers were faster %d times", function.ErrUnavailable, maxAttempts)

// SetEnv sets one variable of a function, or returns function.ErrNotFound or a *function.EnvLimitError.
func (s *Store) SetEnv(ctx context.Context, ref function.Ref, name, value string) error {
	err := s.edit(ctx, ref, s.limits.Setting(name, value))
	return at("set variable of "+ref.String(), err)
}

// UnsetEnv removes one variable of a function, or returns function.ErrNotFound or function.ErrEnvNotFound.
func (s *Store) UnsetEnv(ctx context.Context, ref function.Ref, name string) error {
	err := s.edit(ctx, ref, function.Unsetting(name))
	return at("unset variable of "+ref.String(), err)
}

func (s *Store) edit(ctx context.Context, ref function.Ref, change function.EnvEdit) error {
	release, err := s.edits.Acquire(ctx, ref.String())
	if err != nil {
		return storeError(ctx, err)
	}
	defer release()
	if !unambiguous(ref) {
		if _, err := s.revision(ctx, ref); err != nil { // nobody makes way for what is not there
			return err
		}
	}
	home, err := s.prepareWrite(ctx, ref)
	if err != nil {
		return err
	}
	for attempt := range maxAttempts {
		done, err := s.tryEdit(ctx, ref, home.key, change)
		if errors.Is(err, function.ErrNotFound) && !unambiguous(ref) {
			before := home
			if home, err = s.prepareWrite(ctx, ref); err == nil && home.key == before.key {
				err = function.ErrNotFound
			}
		}
		if done || err != nil {
			return err
		}
		pause := min(time.Duration(attempt)*time.Millisecond, maxPause)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(rand.N(pause + 1)):
		}
	}
	return errContended
}

// tryEdit returns false when somebody else wrote the function at the same time.
func (s *Store) tryEdit(
	ctx context.Context, ref function.Ref, key string, change function.EnvEdit,
) (done bool, err error) {
	stored, err := s.getAt(ctx, ref, key, s.keys.markAt(ref, key))
	if err != nil {
		return false, err
	}
	if stored == nil {
		return false, function.ErrNotFound
	}
	next := stored.Restamp(function.NewStamp())
	if err := change(next.Env); err != nil {
		return false, err
	}
	env, err := next.Env.MarshalJSON()
	if err != nil {
		return false, err
	}
	answer, err := s.run(ctx, editScript, []string{key},
		s.keys.changes(), functionNotice(ref), stored.VersionID, next.VersionID, next.Updated, env,
		ownerField, s.keys.markAt(ref, key))
	if err == nil && answer == int64(-1) {
		err = function.ErrNotFound
	}
	return answer == int64(1), err
}
