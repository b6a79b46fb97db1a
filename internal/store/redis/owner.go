package redis

import (
	"context"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// Where several functions can have one key, a record that is written there has a mark that names its owner: it
// belongs to nobody else, whatever the list says. Backstage Functions writes no mark and ignores it. The owner of a
// record without a mark is found by the list; a list member that can be another function's proves nothing. Before a
// write changes what the list proves, all records concerned get their marks.

// ownerField holds the mark: how many bytes of the key after the prefix are the namespace.
const ownerField = "namespaceLength"

// nobody is the mark of a record whose owner cannot be told.
const nobody = "?"

// ownerMark is the mark of a function at its shared place, empty if no other function can be there.
func ownerMark(ref function.Ref) string {
	if len(sameKey(ref)) < 2 {
		return ""
	}
	return strconv.Itoa(len(ref.Namespace))
}

// markAt is the mark of a function at one of its keys.
func (k keys) markAt(ref function.Ref, key string) string {
	if key != k.shared(ref).key {
		return ""
	}
	return ownerMark(ref)
}

// marked is the one of all whose mark it is, zero if there is none.
func marked(all []function.Ref, mark string) function.Ref {
	i := slices.IndexFunc(all, func(r function.Ref) bool { return ownerMark(r) == mark })
	if i < 0 {
		return function.Ref{}
	}
	return all[i]
}

// unmarked says that the record at the shared place needs a mark and has none.
func (sp *spot) unmarked() bool { return len(sp.all) > 1 && sp.taken.there && sp.taken.mark == "" }

// decide finds the owner of the record at the shared place.
func (s *Store) decide(ctx context.Context, sp *spot) error {
	switch {
	case !sp.taken.there:
	case len(sp.all) == 1:
		sp.owner = sp.all[0]
	case sp.taken.mark != "":
		sp.owner = marked(sp.all, sp.taken.mark)
	case len(sp.listed) == 0:
		sp.owner = sp.all[0]
	case len(sp.listed) == 1:
		sp.owner = sp.listed[0]
	default:
		proven, err := s.proven(ctx, sp.listed)
		if err != nil || len(proven) == 0 {
			return err
		}
		sp.owner, sp.others = proven[0], proven[1:]
	}
	return nil
}

// proven are those of listed whose member cannot be another function's.
func (s *Store) proven(ctx context.Context, listed []function.Ref) (refs []function.Ref, err error) {
	type reason struct {
		by   function.Ref
		what func() content
	}
	reasons := make([][]reason, len(listed))
	err = read(ctx, s.client, func(p redis.Pipeliner) {
		for i, r := range listed {
			for _, by := range sameMember(r) {
				if by != r && s.keys.shares(by) {
					reasons[i] = append(reasons[i], reason{by, look(ctx, p, s.keys.shared(by).key)})
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for i, r := range listed {
		if !slices.ContainsFunc(reasons[i], func(x reason) bool { return x.what().mayBe(x.by) }) {
			refs = append(refs, r)
		}
	}
	return refs, nil
}

// shares says whether a function can be at its shared place.
func (k keys) shares(ref function.Ref) bool {
	return len(sameKey(ref)) > 0 || k.own(ref) == k.shared(ref)
}

// mayBe says whether c, at the shared place of ref, can be the record of ref.
func (c content) mayBe(ref function.Ref) bool {
	mark := ownerMark(ref)
	return c.there && (mark == "" || c.mark == "" || c.mark == mark)
}

// adopt marks the record at the shared place, after copies were made for the others that are listed there.
func (s *Store) adopt(ctx context.Context, sp *spot) error {
	mark := nobody
	if sp.owner != (function.Ref{}) {
		mark = ownerMark(sp.owner)
	}
	for _, r := range sp.others {
		if err := s.copyAside(ctx, sp, r); err != nil {
			return err
		}
	}
	_, err := s.run(ctx, adoptScript, []string{s.keys.shared(sp.ref).key},
		sp.taken.versionID, sp.taken.hash, ownerField, mark)
	return err
}

// collisions are the other functions at their shared places with the list member of ref. Their records, and those that
// could be mistaken for theirs, have marks from now on.
func (s *Store) collisions(ctx context.Context, ref function.Ref) (found []function.Ref, err error) {
	all := slices.DeleteFunc(sameMember(ref), func(r function.Ref) bool { return r == ref || !s.keys.shares(r) })
	if len(all) == 0 {
		return nil, nil
	}
	contents := make([]func() content, len(all))
	if err := read(ctx, s.client, func(p redis.Pipeliner) {
		for i, r := range all {
			contents[i] = look(ctx, p, s.keys.shared(r).key)
		}
	}); err != nil {
		return nil, err
	}
	for i, r := range all {
		c := contents[i]()
		if c.there && c.mark == "" && ownerMark(r) != "" {
			if c, err = s.marking(ctx, r); err != nil {
				return nil, err
			}
		}
		if c.mayBe(r) {
			found = append(found, r)
		}
	}
	return found, nil
}

// marking marks the record at the shared place of a function unless it has a mark, and returns it.
func (s *Store) marking(ctx context.Context, ref function.Ref) (content, error) {
	for range maxMoves {
		sp, err := s.locate(ctx, ref)
		if err != nil {
			return content{}, err
		}
		if !sp.unmarked() {
			return sp.taken, nil
		}
		if err := s.adopt(ctx, sp); err != nil {
			return content{}, err
		}
	}
	return content{}, errMoving
}
