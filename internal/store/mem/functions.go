package mem

import (
	"context"
	"errors"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// Get returns a copy of a function, or function.ErrNotFound.
func (s *Store) Get(ctx context.Context, ref function.Ref) (found *function.Function, err error) {
	err = s.read(ctx, "get "+ref.String(), func() error {
		f, ok := s.functions[ref]
		if !ok {
			return function.ErrNotFound
		}
		found = s.copyLocked(f)
		return nil
	})
	return found, err
}

// Source returns what the artefact of a function was built from, or function.ErrNotFound.
func (s *Store) Source(ctx context.Context, ref function.Ref) (source *function.Source, err error) {
	err = s.read(ctx, "source of "+ref.String(), func() error {
		f, ok := s.functions[ref]
		if !ok || f.Artefact == nil {
			return function.ErrNotFound
		}
		source = f.Source.Clone()
		return nil
	})
	return source, err
}

// Revision returns the revision of a function, or function.ErrNotFound.
func (s *Store) Revision(ctx context.Context, ref function.Ref) (revision string, err error) {
	err = s.read(ctx, "revision of "+ref.String(), func() error {
		f, ok := s.functions[ref]
		if !ok {
			return function.ErrNotFound
		}
		revision = f.Revision()
		return nil
	})
	return revision, err
}

// Put writes a function and returns a copy of what is stored now.
func (s *Store) Put(ctx context.Context, f *function.Function) (stored *function.Function, err error) {
	err = s.write(ctx, "put "+f.String(), function.Change{Ref: f.Ref}, func() error {
		if err := errors.Join(f.Check(), s.Limits.Check(f.Env)); err != nil {
			return err
		}
		if at, ok := slices.BinarySearchFunc(s.order, f.Ref, function.Ref.Compare); !ok {
			s.order = slices.Insert(s.order, at, f.Ref)
		}
		next := f.Revise(s.functions[f.Ref], function.NewStamp())
		if next.Artefact != nil {
			next.Source = sourceOf(f)
		}
		s.functions[f.Ref] = next
		stored = s.copyLocked(next)
		return nil
	})
	return stored, err
}

// Delete removes a function and the lines that it printed.
func (s *Store) Delete(ctx context.Context, ref function.Ref) error {
	return s.write(ctx, "delete "+ref.String(), function.Change{Ref: ref}, func() error {
		if at, ok := slices.BinarySearchFunc(s.order, ref, function.Ref.Compare); ok {
			s.order = slices.Delete(s.order, at, at+1)
			delete(s.functions, ref)
		}
		s.Forget(ref)
		return nil
	})
}

// SetEnv sets one variable of a function, or returns function.ErrNotFound or a *function.EnvLimitError.
func (s *Store) SetEnv(ctx context.Context, ref function.Ref, name, value string) error {
	return s.edit(ctx, "set variable of "+ref.String(), ref, s.Limits.Setting(name, value))
}

// UnsetEnv removes one variable of a function, or returns function.ErrNotFound or function.ErrEnvNotFound.
func (s *Store) UnsetEnv(ctx context.Context, ref function.Ref, name string) error {
	return s.edit(ctx, "unset variable of "+ref.String(), ref, function.Unsetting(name))
}

func (s *Store) edit(ctx context.Context, operation string, ref function.Ref, change function.EnvEdit) error {
	return s.write(ctx, operation, function.Change{Ref: ref}, func() error {
		stored, ok := s.functions[ref]
		if !ok {
			return function.ErrNotFound
		}
		next := stored.Restamp(function.NewStamp())
		if err := change(next.Env); err != nil {
			return err
		}
		s.functions[ref] = next
		return nil
	})
}

// List returns a page of the functions, or function.ErrInvalidPage.
func (s *Store) List(ctx context.Context, q function.Query) (page *function.Page, err error) {
	err = s.read(ctx, "list", func() error {
		start, end, err := q.Bounds()
		if err != nil {
			return err
		}
		matches := s.matchesLocked(q)
		page = &function.Page{
			Items: slices.Clone(matches[min(start, len(matches)):min(end, len(matches))]),
			Total: len(matches),
		}
		return nil
	})
	return page, err
}

// matchesLocked returns the part of the list that q selects.
func (s *Store) matchesLocked(q function.Query) []function.Ref {
	if q.Namespace == "" {
		return s.order
	}
	first, _ := slices.BinarySearchFunc(s.order, function.Ref{Namespace: q.Namespace, ID: q.ID}, function.Ref.Compare)
	count, _ := slices.BinarySearchFunc(s.order[first:], q, func(r function.Ref, q function.Query) int {
		if r.Namespace != q.Namespace || (q.ID != "" && r.ID != q.ID) {
			return 1
		}
		return -1
	})
	return s.order[first : first+count]
}

// sourceOf is the source of f, which has an artefact, as the other stores return it.
func sourceOf(f *function.Function) *function.Source {
	source := f.Source.Clone()
	if source == nil {
		source = &function.Source{Files: map[string][]byte{}}
	}
	source.Entry, source.Artefact = f.Artefact.Entry, f.Artefact.Hash
	return source
}

// copyLocked returns a copy of f with its namespace's settings and without its source.
func (s *Store) copyLocked(f *function.Function) *function.Function {
	c := f.Clone()
	c.Source = nil
	c.Settings = s.namespaces[f.Namespace].Clone()
	return c
}
