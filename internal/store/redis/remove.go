package redis

import (
	"context"
	"errors"

	"github.com/backstage/functions/internal/function"
)

// remove deletes a function that others may collide with.
func (s *Store) remove(ctx context.Context, ref function.Ref) error {
	if _, err := s.collisions(ctx, ref); err != nil { // it marks them
		return err
	}
	for range maxMoves {
		sp, err := s.locate(ctx, ref)
		if err != nil {
			return err
		}
		if sp.unambiguous {
			_, err := s.run(ctx, deleteScript, []string{s.keys.own(ref).key}, s.keys.changes(), functionNotice(ref))
			if err != nil {
				return err
			}
			return s.unlist(ctx, ref)
		}
		key, seen := s.here(sp).key, sp.found()
		if sp.own.there && sp.shared.there { // the older one is deleted first
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
	met, err := s.collisions(ctx, ref)
	if err != nil {
		return err
	}
	bound, err := s.listApart(ctx, met)
	if err != nil {
		return err
	}
	own, shared := s.keys.own(ref).member, s.keys.shared(ref).member
	if own != shared {
		if err := s.delist(ctx, own); err != nil {
			return err
		}
	}
	if !bound {
		if err := s.delist(ctx, shared); err != nil {
			return err
		}
	}
	if _, err := s.revision(ctx, ref); err != nil {
		if errors.Is(err, function.ErrNotFound) {
			return nil
		}
		return err
	}
	home, err := s.prepareWrite(ctx, ref) // it was written again meanwhile
	if err != nil {
		return err
	}
	return s.enlist(ctx, home.member)
}
