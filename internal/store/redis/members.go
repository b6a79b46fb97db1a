package redis

import (
	"context"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// memberBatch is how many ambiguous members are resolved with one round trip.
const memberBatch = 200

// refs are the functions that members stand for. Backstage Functions writes to the list too: a member with more than
// one colon, or with a slash before it, is ambiguous. It stands for the functions that are stored and have no other
// member.
func (s *Store) refs(ctx context.Context, members []string) ([]function.Ref, error) {
	items := make([]function.Ref, 0, len(members))
	for batch := range slices.Chunk(members, memberBatch) {
		asked := make([][]candidate, len(batch))
		err := read(ctx, s.client, func(p redis.Pipeliner) {
			for i, m := range batch {
				if !settled(m) {
					asked[i] = s.ask(ctx, p, m)
				}
			}
		})
		if err != nil {
			return nil, err
		}
		for i, m := range batch {
			if ref, ok := parseMember(m); ok && asked[i] == nil {
				items = append(items, ref)
			}
			items = append(items, pick(asked[i])...)
		}
	}
	return items, nil
}

// settled says that the text of a member is unambiguous.
func settled(text string) bool {
	namespace, id, found := strings.Cut(text, ":")
	return !found || looksEscaped.MatchString(namespace) || !strings.Contains(namespace, "/") && !strings.Contains(id, ":")
}

// candidate is a function that a member may stand for.
type candidate struct {
	ref    function.Ref
	shared func() content  // the record at the shared place
	apart  *redis.FloatCmd // whether it is listed at its own place; nil where that is the same
}

// ask queues the reads that resolve an ambiguous member.
func (s *Store) ask(ctx context.Context, p redis.Pipeliner, text string) (all []candidate) {
	for _, r := range splits(text, ":") {
		if !s.keys.shares(r) {
			continue
		}
		c := candidate{ref: r, shared: look(ctx, p, s.keys.shared(r).key)}
		if own := s.keys.own(r).member; own != text {
			c.apart = p.ZScore(ctx, s.keys.list(), own)
		}
		all = append(all, c)
	}
	return all
}

// pick are the candidates that are stored. If none is, the first is listed if its name is an ordinary one: it may
// have been deleted a moment ago.
func pick(all []candidate) (refs []function.Ref) {
	there := 0
	for _, c := range all {
		if !c.shared().mayBe(c.ref) {
			continue
		}
		if there++; c.apart == nil || c.apart.Err() != nil {
			refs = append(refs, c.ref)
		}
	}
	if there == 0 && len(all) > 0 && all[0].apart == nil {
		refs = append(refs, all[0].ref)
	}
	return refs
}
