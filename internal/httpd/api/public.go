package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/backstage/functions/internal/function"
)

// PublicList is the stored list of public functions, in memory. It must be safe for concurrent use.
type PublicList interface {
	// Access is function.AccessPublic or AccessJWT, or empty for one that is not in the list.
	Access(ref function.Ref) string
	// Count says how many functions are in the list, and how many of them are in namespaces that match.
	Count(match func(namespace string) bool) (matching, all int)
	// Loaded says whether the list is known.
	Loaded() bool
}

// nonePublic is a PublicList without functions.
type nonePublic struct{}

func (nonePublic) Access(function.Ref) string                  { return "" }
func (nonePublic) Count(func(string) bool) (matching, all int) { return 0, 0 }
func (nonePublic) Loaded() bool                                { return true }

// conceal takes a function from the list of public ones, before it is written or deleted: where the rest fails,
// nobody runs what is not meant for them.
func (s *server) conceal(ctx context.Context, ref function.Ref) error {
	if s.Public.Access(ref) == "" {
		return nil
	}
	if err := s.Store.RemovePublic(ctx, ref); err != nil {
		return fmt.Errorf("take %s from the public functions: %w", ref, err)
	}
	return nil
}

// reveal puts a function that is stored as public into the list.
func (s *server) reveal(ctx context.Context, f *function.Function) error {
	access := f.Options.AccessOr()
	if access == function.AccessKey || s.Public.Access(f.Ref) == access {
		return nil
	}
	owner := s.Owner(f.Namespace)
	has, taken := s.Public.Count(func(namespace string) bool { return s.Owner(namespace) == owner })
	if !hasRoom(has, taken, function.MaxPublic) {
		return fmt.Errorf("put %s among the public functions: %w", f.Ref, function.ErrPublicShare)
	}
	if err := s.Store.AddPublic(ctx, function.Open{Ref: f.Ref, Access: access}); err != nil {
		return fmt.Errorf("put %s among the public functions: %w", f.Ref, err)
	}
	return s.checkPublicShare(ctx, f.Ref)
}

// checkPublicShare takes ref, which was put among the public functions, out again if its owner has one too many by it:
// others may have been put at the same time, on any servers.
func (s *server) checkPublicShare(ctx context.Context, ref function.Ref) error {
	all, err := s.Store.Public(ctx)
	if err == nil {
		owner, has := s.Owner(ref.Namespace), 0
		for _, open := range all {
			if s.Owner(open.Ref.Namespace) == owner {
				has++
			}
		}
		if hasRoom(has-1, len(all)-1, function.MaxPublic) {
			return nil
		}
		err = function.ErrPublicShare
	}
	err = errors.Join(err, s.Store.RemovePublic(context.WithoutCancel(ctx), ref))
	return fmt.Errorf("put %s among the public functions: %w", ref, err)
}
