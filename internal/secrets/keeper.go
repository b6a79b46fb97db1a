package secrets

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/function"
)

// tagKey makes tags useless to who sees them.
var tagKey = [32]byte([]byte(rand.Text() + rand.Text())[:32])

// Store keeps the encrypted secrets. It must be safe for concurrent use; its methods are those of store.Secrets.
type Store interface {
	Secrets(ctx context.Context, scope function.SecretScope) ([]*function.Secret, error)
	PutSecret(ctx context.Context, s, was *function.Secret) error
	DeleteSecret(ctx context.Context, ref function.SecretRef) error
	DeleteSecrets(ctx context.Context, scope function.SecretScope) error
	SecretScopes(ctx context.Context) ([]function.SecretScope, error)
}

// Options are what a Keeper keeps. Store is required.
type Options struct {
	Store Store
	// KeysetFile is the file of the keyset; empty for none: then nothing can be encrypted and decrypted.
	KeysetFile string
	// Dir is SECRETS_DIR; empty for none.
	Dir string
	// Log receives what an operator should know; nil discards it.
	Log *slog.Logger
	// Failed is told of each time that a function does not get a secret, with one of Reasons. It must be safe for
	// concurrent use. Nil ignores it.
	Failed func(reason string)
	// CacheBytes bounds what is kept in memory of values; 0 stands for DefaultCacheBytes.
	CacheBytes int64
}

// DefaultCacheBytes bounds the values in memory, with what is needed to mask them.
const DefaultCacheBytes = 32 << 20

const (
	// maxStale is how long values are used without a look at the store: notices of changes may be lost.
	maxStale = 5 * time.Second
	// maxStaleFiles is that for files.
	maxStaleFiles = time.Second
	// again is the pause before the store is asked again after a failure.
	again = time.Second
	// readTimeout bounds the time to read the secrets of one function.
	readTimeout = 5 * time.Second
)

// Keeper finds the secrets of calls. It is safe for concurrent use. Use New.
type Keeper struct {
	Options
	keys  keys
	dir   directory
	marks marks
	cache cache
}

// New returns a Keeper. Its error is that of the file of the keyset.
func New(o Options) (*Keeper, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Failed == nil {
		o.Failed = func(string) {}
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	k := &Keeper{Options: o, dir: directory(o.Dir), cache: newCache(o.CacheBytes)}
	k.keys.path, k.keys.log = o.KeysetFile, o.Log
	return k, k.keys.load()
}

// Changed makes a change known: no call that begins after it returns gets what it has replaced.
func (k *Keeper) Changed(c function.Change) {
	if k != nil && (c.All || c.Secrets != "") {
		k.cache.changed(c.Secrets)
	}
}

// For returns what the function of ref gets that asks for names. Its error is an *Error, or that of the store when
// nothing is known of them.
func (k *Keeper) For(ctx context.Context, ref function.Ref, names []string) (*Set, error) {
	if k == nil || len(names) == 0 {
		return nil, nil //nolint:nilnil // a nil Set is one without secrets
	}
	found := k.cache.entry(ref, names)
	now := time.Now()
	if state := found.fresh(now); state != nil {
		return state.result(k)
	}
	select {
	case found.reading <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-found.reading }()
	if state := found.fresh(time.Now()); state != nil { // somebody else has read it
		return state.result(k)
	}
	// Others wait for what is read, so it does not end with this caller.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	return k.read(ctx, found).result(k)
}

// read reads the secrets of an entry, and keeps them.
func (k *Keeper) read(ctx context.Context, e *entry) *state {
	e.stale.Store(false)
	before := e.state.Load()
	set, err := k.find(ctx, e.ref, e.names)
	next := &state{set: set, err: err, until: time.Now().Add(maxStale)}
	var refused *Error
	switch {
	case err != nil && !errors.As(err, &refused) && before != nil:
		next.set, next.err, next.until = before.set, before.err, time.Now().Add(again)
	case err != nil && !errors.As(err, &refused):
		return next // the next call asks again
	case k.dir != "":
		next.until = time.Now().Add(maxStaleFiles)
	}
	if before != nil && before.set != nil && next.set != nil && before.set.Tag == next.set.Tag {
		next.set = before.set
	}
	e.state.Store(next)
	k.cache.grown(e, next)
	return next
}

// find reads the values from files and from the store: those of the function go before those of the namespace, and of
// each those of files before those of the store.
func (k *Keeper) find(ctx context.Context, ref function.Ref, names []string) (*Set, error) {
	values := make([]string, len(names))
	missing := names
	for _, scope := range []function.SecretScope{function.SecretScope(ref), {Namespace: ref.Namespace}} {
		var left []string
		for _, name := range missing {
			value, ok, err := k.dir.read(function.SecretRef{SecretScope: scope, Name: name})
			if err != nil {
				return nil, &Error{ref, name, ReasonUnreadable, err}
			}
			if !ok {
				left = append(left, name)
				continue
			}
			values[indexOf(names, name)] = value
		}
		if missing = left; len(missing) == 0 {
			break
		}
		stored, err := k.Store.Secrets(ctx, scope)
		if err != nil {
			return nil, err
		}
		left = nil
		for _, name := range missing {
			secret := named(stored, name)
			if secret == nil {
				left = append(left, name)
				continue
			}
			value, err := k.open(secret)
			if err != nil {
				return nil, &Error{ref, name, reasonOf(err), err}
			}
			values[indexOf(names, name)] = value
		}
		if missing = left; len(missing) == 0 {
			break
		}
	}
	if len(missing) > 0 {
		return nil, &Error{Function: ref, Name: missing[0], Reason: ReasonMissing}
	}
	return newSet(names, values), nil
}

// open returns the value of a stored secret.
func (k *Keeper) open(s *function.Secret) (string, error) {
	keyset := k.keys.forKey(s)
	if keyset == nil {
		return "", ErrNoKeyset
	}
	value, err := keyset.open(s)
	if err != nil {
		return "", err
	}
	if !k.marks.see(s) {
		return "", errReplayed
	}
	return string(value), nil
}

func reasonOf(err error) string {
	switch {
	case errors.Is(err, errReplayed):
		return ReasonReplayed
	case errors.Is(err, ErrNoKeyset):
		return ReasonNoKeyset
	}
	return ReasonDamaged
}

func named(all []*function.Secret, name string) *function.Secret {
	for _, secret := range all {
		if secret.Name == name {
			return secret
		}
	}
	return nil
}

func indexOf(names []string, name string) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return -1
}

// errReplayed marks a secret that was encrypted before the one that this server has seen.
var errReplayed = errors.New("somebody has put an earlier version in its place")

// maxMarks bounds the marks that are kept.
const maxMarks = 50_000

// marks remember the last version of each secret that was seen, so that nobody can put an earlier one in its place.
type marks struct {
	mu   sync.Mutex
	last map[function.SecretRef]time.Time
}

// see says whether s is at least as new as what was seen before.
func (m *marks) see(s *function.Secret) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	last, seen := m.last[s.SecretRef]
	if seen && s.Updated.Before(last) {
		return false
	}
	if m.last == nil {
		m.last = map[function.SecretRef]time.Time{}
	}
	if !seen && len(m.last) >= maxMarks {
		for ref := range m.last { // any one
			delete(m.last, ref)
			break
		}
	}
	m.last[s.SecretRef] = s.Updated
	return true
}

// of is the time of the last version that was seen; zero for none.
func (m *marks) of(ref function.SecretRef) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last[ref]
}

// keys have the keyset, in step with its file.
type keys struct {
	path string
	log  *slog.Logger

	current atomic.Pointer[Keyset] // nil for none
	rotated atomic.Bool            // another key encrypts since Run has looked

	mu     sync.Mutex // guards the fields below
	read   fileState
	looked time.Time
}
