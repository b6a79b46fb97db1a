package redis

import (
	"context"
	"fmt"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// maxMoves bounds how often a function is located again because others wrote at the same time.
const maxMoves = 16

var errMoving = fmt.Errorf("%w: other writers were faster %d times", function.ErrUnavailable, maxMoves)

// prepareWrite gets a function ready to be written: afterwards it is at the place where it belongs, or nowhere. It
// returns that place. Functions that have the place are moved to their own places first. After each step all of them
// can be read.
func (s *Store) prepareWrite(ctx context.Context, ref function.Ref) (home place, err error) {
	for range maxMoves {
		sp, err := s.locate(ctx, ref)
		if err != nil {
			return place{}, err
		}
		met, err := s.collisions(ctx, ref)
		if err != nil {
			return place{}, err
		}
		home := s.home(sp, len(met) > 0)
		done, err := s.approach(ctx, sp, home)
		if err != nil {
			return place{}, err
		}
		if !done {
			continue
		}
		if home.member, err = s.listedAs(ctx, ref, home, met); err != nil {
			return place{}, err
		}
		return home, nil
	}
	return place{}, errMoving
}

// approach does one step towards home. Done says that none was needed.
func (s *Store) approach(ctx context.Context, sp *spot, home place) (done bool, err error) {
	shared, own := s.keys.shared(sp.ref), s.keys.own(sp.ref)
	switch {
	case sp.unambiguous || home != shared:
		return true, nil
	case sp.taken.there && sp.owner != sp.ref:
		return false, s.moveOthers(ctx, sp)
	case sp.unmarked():
		return false, s.adopt(ctx, sp)
	case sp.atOwn():
		return false, s.copyTo(ctx, sp.ref, own, sp.own, shared, sp.shared)
	case sp.own.there:
		return false, s.drop(ctx, own, sp.own)
	}
	return true, nil
}

// listedAs is the member by which a function is listed at a place, where met have the same member. It also lists met by
// their own members, so that each function has one of its own.
func (s *Store) listedAs(
	ctx context.Context, ref function.Ref, at place, met []function.Ref,
) (member string, err error) {
	shared, own := s.keys.shared(ref), s.keys.own(ref)
	if at != shared || len(met) == 0 || strings.Contains(ref.Namespace, "/") {
		return at.member, nil
	}
	if sameMember(ref)[0] != ref {
		return own.member, nil
	}
	_, err = s.listApart(ctx, met)
	return shared.member, err
}

// listApart lists functions by their own members. It says whether one of them is found by how it is listed at the
// shared place.
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
