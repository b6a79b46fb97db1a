package redis

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// scanBatch is about how many keys Redis is asked for at once.
const scanBatch = 200

// Walk calls visit for every stored function, one at a time, in no order, and then for the members of the list
// without a record. It changes nothing. It ends with the first error.
func (s *Store) Walk(ctx context.Context, visit func(*function.Stored) error) error {
	w := &walk{Store: s, visit: visit, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	cluster, ok := s.client.(*redis.ClusterClient)
	var err error
	if ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return w.node(ctx, node) })
	} else {
		err = w.node(ctx, s.client)
	}
	if err == nil {
		err = w.list(ctx)
	}
	return at("walk", err)
}

// walk is the state of one Walk. A scan may show a key twice.
type walk struct {
	*Store
	mu    sync.Mutex // held while a key is looked at; guards seen
	visit func(*function.Stored) error
	seen  map[uint64]struct{} // hashes of keys
	seed  maphash.Seed
}

// escapePattern has Redis take a text literally in a pattern.
var escapePattern = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

func (w *walk) node(ctx context.Context, node redis.Cmdable) error {
	prefix := string(w.keys) + "code:"
	for cursor := uint64(0); ; {
		keys, next, err := node.Scan(ctx, cursor, escapePattern.Replace(prefix)+"*", scanBatch).Result()
		if err != nil {
			return storeError(ctx, err)
		}
		for _, key := range keys {
			if err := w.key(ctx, key, strings.TrimPrefix(key, prefix)); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// key looks at one key; name is what it has behind the prefix.
func (w *walk) key(ctx context.Context, key, name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	sum := maphash.String(w.seed, key)
	if _, known := w.seen[sum]; known {
		return nil
	}
	w.seen[sum] = struct{}{}
	all := splits(name, "/")
	if len(all) == 0 {
		return nil // nobody can reach it
	}
	stored, err := w.whose(ctx, key, all[0])
	if err != nil || stored == nil {
		return err
	}
	values, err := w.fieldsOf(ctx, key, nil, 0)
	switch {
	case err == function.ErrRecordTooLarge: //nolint:errorlint // it comes bare
		return w.visit(stored)
	case err != nil:
		return err
	}
	stored.Function = decodeFunction(stored.Ref, values)
	if stored.Function == nil {
		return nil
	}
	stored.Code = field(values, 0)
	_, stored.EnvError = readEnv(field(values, 2))
	return w.visit(stored)
}

// whose says who a key belongs to, of whom first has the shortest namespace; nil when it is nobody's.
func (w *walk) whose(ctx context.Context, key string, first function.Ref) (*function.Stored, error) {
	if looksEscaped.MatchString(first.Namespace) {
		namespace, ok := unescape(first.Namespace)
		if !ok {
			return nil, nil //nolint:nilnil // see above
		}
		first.Namespace = namespace
	}
	sp, err := w.locate(ctx, first)
	if err != nil {
		return nil, err
	}
	stored := &function.Stored{Ref: first}
	if key == w.keys.own(first).key && key != w.keys.shared(first).key {
		stored.Apart, stored.Twice = true, sp.shared.there
		return stored, nil
	}
	switch stored.Meets = sp.others; {
	case sp.unambiguous || !sp.taken.there:
	case sp.owner != (function.Ref{}):
		stored.Ref = sp.owner
	default:
		stored.Unclear = true
		if len(sp.listed) > 0 {
			stored.Ref, stored.Meets = sp.listed[0], sp.listed[1:]
		}
	}
	stored.Lost, err = w.lost(ctx, stored.Meets)
	return stored, err
}
