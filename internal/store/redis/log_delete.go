package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// forgetBatch is how many functions of a namespace lose their lines with one round trip.
const forgetBatch = 500

// forgetNamespace drops the lines of all listed functions of a namespace.
func (s *Store) forgetNamespace(ctx context.Context, name string) error {
	for page := 1; ; page++ {
		listed, err := s.list(ctx, function.Query{Namespace: name, Page: page, PerPage: forgetBatch})
		if err == nil {
			err = s.logStore.forget(ctx, listed.Items...)
		}
		if err != nil || page*forgetBatch >= listed.Total {
			return err
		}
	}
}

// forget drops the lines of functions. Their streams are emptied, not deleted: an empty stream remembers its last ID,
// so a follower misses nothing of a function that is put again at once. It expires like any other. Lines of a call
// that is still running may come later; nobody can read them until the function is put again.
func (l *logStore) forget(ctx context.Context, refs ...function.Ref) error {
	commands, err := l.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, ref := range refs {
			stream := l.keys.stream(ref)
			p.XTrimMaxLen(ctx, stream, 0)
			forgetScript.Eval(
				ctx, p, append(l.keys.counts(ref.Namespace), stream), l.keys.group(ref.Namespace), l.keys.entry(ref),
			)
		}
		return nil
	})
	return sentError(ctx, commands, err, noStream)
}

// noStream says whether err means that there can be no lines: the key has another type, Redis is older than streams, or
// its user may not use them. A deletion must not fail for that.
func noStream(err error) bool {
	return wrongType(err) || redis.IsPermissionError(err) || redis.HasErrorPrefix(err, "ERR unknown command")
}
