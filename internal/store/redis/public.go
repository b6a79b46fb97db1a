package redis

import (
	"context"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// All public functions are in one hash, as fields that are their members.

// Public returns the list of public functions, in the order of lists.
func (s *Store) Public(ctx context.Context) ([]function.Ref, error) {
	var all []function.Ref
	err := s.eachRecord(ctx, s.keys.public(), "", func(name string, _ []byte) {
		if ref, ok := parseMember(name); ok {
			all = append(all, ref)
		}
	})
	slices.SortFunc(all, function.Ref.Compare)
	return all, at("public", err)
}

// AddPublic adds a function to the list, or returns function.ErrTooManyPublic.
func (s *Store) AddPublic(ctx context.Context, ref function.Ref) error {
	return at("add public "+ref.String(), s.addPublic(ctx, ref))
}

func (s *Store) addPublic(ctx context.Context, ref function.Ref) error {
	found, err := s.run(ctx, putFieldScript, []string{s.keys.public()}, s.keys.changes(), publicNotice,
		member(ref), "", s.limits.MaxPublic())
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
