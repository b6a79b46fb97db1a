package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// maxMoves bounds how often a function is looked for again because others wrote at the same time.
const maxMoves = 16

var errMoving = fmt.Errorf("%w: other writers were faster %d times", function.ErrUnavailable, maxMoves)

// settle has a function be where it belongs, or nowhere, before it is written. It returns that place, how the function is listed there, and who
// must not be listed. Those who are in the way are moved to their own places first. Each step leaves all of them readable.
func (s *Store) settle(ctx context.Context, ref function.Ref) (home place, guards []any, err error) {
	for range maxMoves {
		sp, err := s.locate(ctx, ref)
		if err != nil {
			return place{}, nil, err
		}
		met, err := s.met(ctx, ref)
		if err != nil {
			return place{}, nil, err
		}
		home := s.home(sp, len(met) > 0)
		done, err := s.approach(ctx, sp, home)
		if err != nil {
			return place{}, nil, err
		}
		if !done {
			continue
		}
		if home.member, err = s.listedAs(ctx, ref, home, met); err != nil {
			return place{}, nil, err
		}
		if home.key == s.keys.shared(ref).key && !sp.alone {
			guards = s.guards(sp)
		}
		return home, guards, nil
	}
	return place{}, nil, errMoving
}

// approach does one step towards home, and says whether there was none to do.
func (s *Store) approach(ctx context.Context, sp *spot, home place) (done bool, err error) {
	shared, own := s.keys.shared(sp.ref), s.keys.own(sp.ref)
	switch {
	case sp.alone || home != shared:
		return true, nil
	case len(sp.others) > 0:
		return false, s.evict(ctx, sp)
	case sp.atOwn():
		return false, s.copyTo(ctx, sp.ref, own, sp.own, shared, sp.shared)
	case sp.own.there:
		return false, s.drop(ctx, own, sp.own)
	}
	return true, nil
}

// listedAs is the member by which a function is listed at a place, where met are listed alike. They are listed at their own places too, so that
// each has a member of its own.
func (s *Store) listedAs(ctx context.Context, ref function.Ref, at place, met []function.Ref) (member string, err error) {
	shared, own := s.keys.shared(ref), s.keys.own(ref)
	if at != shared || len(met) == 0 || strings.Contains(ref.Namespace, "/") {
		return at.member, nil
	}
	if namesakes(ref)[0] != ref {
		return own.member, nil
	}
	_, err = s.listApart(ctx, met)
	return shared.member, err
}

// listApart lists functions at their own places. It says whether one of them is there because of how it is listed at the shared place.
func (s *Store) listApart(ctx context.Context, refs []function.Ref) (bound bool, err error) {
	for _, r := range refs {
		own := s.keys.own(r)
		if own == s.keys.shared(r) || strings.Contains(r.Namespace, "/") {
			bound = true
			continue
		}
		if err := s.enlist(ctx, own.member); err != nil {
			return false, err
		}
	}
	return bound, nil
}

// evict moves those who are listed at the shared place of a function, which has precedence, to their own places.
func (s *Store) evict(ctx context.Context, sp *spot) error {
	shared := s.keys.shared(sp.ref)
	for _, r := range sp.others {
		own := s.keys.own(r)
		if sp.taken.there {
			at, err := s.locate(ctx, r)
			if err != nil {
				return err
			}
			if !at.own.there || at.own.updated < sp.taken.updated {
				if err := s.copyTo(ctx, r, shared, sp.taken, own, at.own); err != nil {
					return err
				}
			}
		}
		if err := s.delist(ctx, s.keys.shared(r).member); err != nil {
			return err
		}
	}
	if sp.owner == sp.ref || !sp.taken.there {
		return nil
	}
	return s.dropAt(ctx, shared.key, sp.taken, "")
}

// copyTo copies a function from one of its places to another, which has what was seen there, unless somebody has written either. It is listed
// at the new place before it is there.
func (s *Store) copyTo(ctx context.Context, ref function.Ref, from place, seen content, to place, over content) error {
	fields, err := s.fieldsAt(ctx, from.key)
	if err != nil {
		return fmt.Errorf("move %s: %w", ref, err)
	}
	if len(fields) == 0 || valueOf(fields, "versionID") != seen.version || valueOf(fields, "hash") != seen.hash {
		return nil // somebody was faster: look again
	}
	if err := s.enlist(ctx, to.member); err != nil {
		return err
	}
	args := append([]any{over.version, over.hash}, fields...)
	_, err = s.run(ctx, copyScript, []string{to.key}, args...)
	return err
}

// drop deletes what was seen at a place, unless somebody has written it.
func (s *Store) drop(ctx context.Context, from place, seen content) error {
	if err := s.dropAt(ctx, from.key, seen, ""); err != nil {
		return err
	}
	return s.delist(ctx, from.member)
}

func (s *Store) dropAt(ctx context.Context, key string, seen content, notice string) error {
	_, err := s.run(ctx, dropFunctionScript, []string{key}, seen.version, seen.hash, s.keys.changes(), notice)
	return err
}

// remove deletes a function that others may meet.
func (s *Store) remove(ctx context.Context, ref function.Ref) error {
	for range maxMoves {
		sp, err := s.locate(ctx, ref)
		if err != nil {
			return err
		}
		if sp.alone {
			if _, err := s.run(ctx, deleteScript, []string{s.keys.own(ref).key}, s.keys.changes(), functionNotice(ref)); err != nil {
				return err
			}
			return s.unlist(ctx, ref)
		}
		key, seen := s.here(sp).key, sp.found()
		if sp.own.there && sp.shared.there { // the one that does not count goes first
			key, seen = s.keys.own(ref).key, sp.own
			if sp.atOwn() {
				key, seen = s.keys.shared(ref).key, sp.shared
			}
		}
		if !seen.there {
			return s.unlist(ctx, ref)
		}
		if err := s.dropAt(ctx, key, seen, functionNotice(ref)); err != nil {
			return err
		}
	}
	return errMoving
}

// unlist takes a function that was removed off the list.
func (s *Store) unlist(ctx context.Context, ref function.Ref) error {
	met, err := s.met(ctx, ref)
	if err != nil {
		return err
	}
	bound, err := s.listApart(ctx, met)
	if err != nil {
		return err
	}
	if err := s.delist(ctx, s.keys.own(ref).member); err != nil {
		return err
	}
	if !bound {
		if err := s.delist(ctx, s.keys.shared(ref).member); err != nil {
			return err
		}
	}
	if _, err := s.version(ctx, ref); err != nil {
		if errors.Is(err, function.ErrNotFound) {
			return nil
		}
		return err
	}
	home, _, err := s.settle(ctx, ref) // it was written again meanwhile
	if err != nil {
		return err
	}
	return s.enlist(ctx, home.member)
}

// fieldsAt reads the fields of a function and their values.
func (s *Store) fieldsAt(ctx context.Context, key string) (pairs []any, err error) {
	values, err := s.fieldsOf(ctx, key)
	if err != nil {
		return nil, err
	}
	for i, value := range values {
		if text, ok := value.(string); ok {
			pairs = append(pairs, functionFields[i], text)
		}
	}
	return pairs, nil
}

// valueOf is the value of a field in a list of fields and values.
func valueOf(pairs []any, name string) string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			text, _ := pairs[i+1].(string)
			return text
		}
	}
	return ""
}
