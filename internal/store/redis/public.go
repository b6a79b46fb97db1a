package redis

import (
	"context"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// All public functions are in one hash, as fields that are their members, with their access as the value.

// Public returns the list of public functions, in the order of lists.
func (s *Store) Public(ctx context.Context) ([]function.Open, error) {
	var all []function.Open
	err := s.eachRecord(ctx, s.keys.public(), "", func(name string, access []byte) {
		ref, ok := parseMember(name)
		if !ok {
			return
		}
		if f, ok := function.ParseOpen(ref, string(access)); ok {
			all = append(all, f)
		}
	})
	slices.SortFunc(all, func(a, b function.Open) int { return a.Ref.Compare(b.Ref) })
	return all, at("public", err)
}

// AddPublic adds a function to the list, or returns function.ErrTooManyPublic.
func (s *Store) AddPublic(ctx context.Context, f function.Open) error {
	return at("add public "+f.Ref.String(), s.addPublic(ctx, f))
}

func (s *Store) addPublic(ctx context.Context, f function.Open) error {
	found, err := s.run(ctx, putFieldScript, []string{s.keys.public()}, s.keys.changes(), publicNotice,
		member(f.Ref), f.Access, s.limits.MaxPublic())
	if _, full := found.(int64); full {
		return function.ErrTooManyPublic
	}
	return err
}

// RemovePublic removes a function from the list.
func (s *Store) RemovePublic(ctx context.Context, ref function.Ref) error {
	_, err := s.run(ctx, deleteFieldScript, []string{s.keys.public()}, s.keys.changes(), publicNotice, member(ref))
	return at("remove public "+ref.String(), err)
}
