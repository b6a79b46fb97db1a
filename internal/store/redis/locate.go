package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// content is the part of a record that tells one write from another.
type content struct {
	there                    bool
	versionID, hash, updated string
	mark                     string // whose it is, see ownerMark
}

// spot is what is known of where a function is.
type spot struct {
	ref function.Ref
	// unambiguous says that no other function can have the same key: the fields below are not used.
	unambiguous bool
	// shared is the record at the shared place if it is the function's, own the record at its own place. There may be
	// both.
	shared, own content
	// taken is the record at the shared place, of whichever function.
	taken content
	// all are the functions that can be at the shared place, listed those of them that are listed there. owner is the one
	// that the record there belongs to, zero if nobody can tell. Others had the record as well in Backstage Functions.
	all, listed, others []function.Ref
	owner               function.Ref
}

// locate finds a function.
func (s *Store) locate(ctx context.Context, ref function.Ref) (*spot, error) {
	if unambiguous(ref) {
		return &spot{ref: ref, unambiguous: true}, nil
	}
	all := sameKey(ref)
	listed := make([]*redis.FloatCmd, len(all))
	var shared, own func() content
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		for i, r := range all {
			listed[i] = p.ZScore(ctx, s.keys.list(), s.keys.shared(r).member)
		}
		shared, own = look(ctx, p, s.keys.shared(ref).key), look(ctx, p, s.keys.own(ref).key)
	})
	if err != nil {
		return nil, err
	}
	sp := &spot{ref: ref, taken: shared(), all: all}
	if s.keys.own(ref).key != s.keys.shared(ref).key {
		sp.own = own()
	}
	for i, r := range all {
		if listed[i].Err() == nil {
			sp.listed = append(sp.listed, r)
		}
	}
	if err := s.decide(ctx, sp); err != nil {
		return nil, err
	}
	if sp.owner == ref {
		sp.shared = sp.taken
	}
	return sp, nil
}

// look queues a read of a content.
func look(ctx context.Context, p redis.Pipeliner, key string) func() content {
	length := p.HStrLen(ctx, key, "code")
	fields := readHash(ctx, p, key, maxRevision, []string{"versionID", "hash", "updated", ownerField})
	return func() content {
		values, fit := hash(fields)
		c := content{length.Val() > 0, field(values, 0), field(values, 1), field(values, 2), field(values, 3)}
		if !fit {
			c.mark = nobody
		}
		return c
	}
}

// atOwn says that the record at the own place is the current one.
func (sp *spot) atOwn() bool {
	return sp.own.there && (!sp.shared.there || sp.own.updated > sp.shared.updated)
}

// found is the current record.
func (sp *spot) found() content {
	if sp.atOwn() {
		return sp.own
	}
	return sp.shared
}

// here is the place of the current record, if there is one.
func (s *Store) here(sp *spot) place {
	if sp.unambiguous || sp.atOwn() {
		return s.keys.own(sp.ref)
	}
	return s.keys.shared(sp.ref)
}

// home is where the function is to be written. A function whose namespace has a slash takes a free shared place if it
// is the first that is listed there or, unless this is a cluster, if none is. A record of an unknown owner is not
// replaced.
func (s *Store) home(sp *spot, met bool) place {
	shared, own := s.keys.shared(sp.ref), s.keys.own(sp.ref)
	if sp.unambiguous || sp.taken.there && sp.owner == (function.Ref{}) && own.key != shared.key {
		return own
	}
	free := len(sp.listed) == 0 && !met && !s.cluster || len(sp.listed) > 0 && sp.listed[0] == sp.ref
	if sp.all[0] == sp.ref || sp.owner == sp.ref || !sp.taken.there && free {
		return shared
	}
	return own
}
