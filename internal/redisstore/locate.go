package redisstore

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// content is what is stored at a key, as far as it tells one write from another.
type content struct {
	there                  bool
	version, hash, updated string
}

// spot is where a function is and where it belongs.
type spot struct {
	ref   function.Ref
	alone bool
	// shared is what is at the shared place, if that is the function's, own what is at its own place. Both may be.
	shared, own content
	// taken is what is at the shared place, whoever it belongs to.
	taken content
	// others are those who are listed at the shared place too, owner is the one whom it belongs to, zero for nobody.
	others []function.Ref
	owner  function.Ref
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
	sp := &spot{ref: ref, taken: shared()}
	if s.keys.own(ref).key != s.keys.shared(ref).key {
		sp.own = own()
	}
	for i, r := range all {
		if listed[i].Err() != nil {
			continue
		}
		if sp.owner == (function.Ref{}) {
			sp.owner = r
		}
		if r != ref {
			sp.others = append(sp.others, r)
		}
	}
	if sp.owner == (function.Ref{}) && sp.taken.there {
		sp.owner = all[0]
	}
	if sp.owner == ref {
		sp.shared = sp.taken
	}
	return sp, nil
}

// look queues the reading of a content.
func look(ctx context.Context, p redis.Pipeliner, key string) func() content {
	length := p.HStrLen(ctx, key, "code")
	fields := readHash(ctx, p, key, maxVersion, []string{"versionID", "hash", "updated"})
	return func() content {
		values, _ := hash(fields)
		return content{length.Val() > 0, field(values, 0), field(values, 1), field(values, 2)}
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

// home is where the function is to be written. In a cluster nobody can look for others and write at once, so no namespace with a slash moves in
// there.
func (s *Store) home(sp *spot, met bool) place {
	precedes := !sp.alone && sharers(sp.ref)[0] == sp.ref
	free := sp.owner == (function.Ref{}) && !met && !s.cluster
	if precedes || !sp.alone && (sp.owner == sp.ref || free) {
		return s.keys.shared(sp.ref)
	}
	return s.keys.own(sp.ref)
}

// guards are the members of those who must not be listed when the function is written to its shared place.
func (s *Store) guards(sp *spot) (members []any) {
	for _, r := range sharers(sp.ref) {
		if r != sp.ref {
			members = append(members, s.keys.shared(r).member)
		}
	}
	return members
}

// met says whether another function is listed, or would be, as ref at its shared place, and which.
func (s *Store) met(ctx context.Context, ref function.Ref) ([]function.Ref, error) {
	all := namesakes(ref)
	if len(all) < 2 {
		return nil, nil
	}
	lengths := make([]*redis.IntCmd, len(all))
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		for i, r := range all {
			lengths[i] = p.HStrLen(ctx, s.keys.shared(r).key, "code")
		}
	})
	if err != nil {
		return nil, err
	}
	var found []function.Ref
	for i, r := range all {
		if r != ref && lengths[i].Val() > 0 {
			found = append(found, r)
		}
	}
	return slices.Clip(found), nil
}
