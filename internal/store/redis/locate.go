package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// content is what is stored at a key, as far as it tells one write from another.
type content struct {
	there                    bool
	versionID, hash, updated string
	mark                     string // whose it is, see ownerMark
}

// spot is where a function is and where it belongs.
type spot struct {
	ref   function.Ref
	alone bool
	// shared is what is at the shared place, if that is the function's, own what is at its own place. Both may be.
	shared, own content
	// taken is what is at the shared place, whoever it belongs to.
	taken content
	// all are those who can be at the shared place, listed those of them who are listed there. owner is the one whom what is
	// there belongs to, zero for nobody, others are those who had it as well in Backstage Functions.
	all, listed, others []function.Ref
	owner               function.Ref
}

// locate finds a function.
func (s *Store) locate(ctx context.Context, ref function.Ref) (*spot, error) {
	if alone(ref) {
		return &spot{ref: ref, alone: true}, nil
	}
	all := sharers(ref)
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

// look queues the reading of a content.
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

// atOwn says whether what is at the own place counts.
func (sp *spot) atOwn() bool {
	return sp.own.there && (!sp.shared.there || sp.own.updated > sp.shared.updated)
}

// found is what counts.
func (sp *spot) found() content {
	if sp.atOwn() {
		return sp.own
	}
	return sp.shared
}

// here is where the function is; it is not there at all unless found.
func (s *Store) here(sp *spot) place {
	if sp.alone || sp.atOwn() {
		return s.keys.own(sp.ref)
	}
	return s.keys.shared(sp.ref)
}

// home is where the function is to be written. A namespace with a slash moves in where nobody is if it is the first that
// is listed there or, but in a cluster, if none is. What may be of several functions stays.
func (s *Store) home(sp *spot, met bool) place {
	shared, own := s.keys.shared(sp.ref), s.keys.own(sp.ref)
	if sp.alone || sp.taken.there && sp.owner == (function.Ref{}) && own.key != shared.key {
		return own
	}
	free := len(sp.listed) == 0 && !met && !s.cluster || len(sp.listed) > 0 && sp.listed[0] == sp.ref
	if sp.all[0] == sp.ref || sp.owner == sp.ref || !sp.taken.there && free {
		return shared
	}
	return own
}
