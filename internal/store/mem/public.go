package mem

import (
	"context"
	"maps"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// Public returns the list of public functions, in the order of lists.
func (s *Store) Public(ctx context.Context) (all []function.Open, err error) {
	err = s.read(ctx, "public", func() error {
		for _, ref := range slices.SortedFunc(maps.Keys(s.public), function.Ref.Compare) {
			all = append(all, function.Open{Ref: ref, Access: s.public[ref]})
		}
		return nil
	})
	return all, err
}

// AddPublic adds a function to the list, or returns function.ErrTooManyPublic.
func (s *Store) AddPublic(ctx context.Context, f function.Open) error {
	return s.write(ctx, "add public "+f.Ref.String(), function.Change{Public: true}, func() error {
		if _, there := s.public[f.Ref]; !there && len(s.public) >= s.Limits.MaxPublic() {
			return function.ErrTooManyPublic
		}
		s.public[f.Ref] = f.Access
		return nil
	})
}

// RemovePublic removes a function from the list.
func (s *Store) RemovePublic(ctx context.Context, ref function.Ref) error {
	return s.write(ctx, "remove public "+ref.String(), function.Change{Public: true}, func() error {
		delete(s.public, ref)
		return nil
	})
}
