package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Why a token is not taken.
var (
	ErrUnknown = errors.New("there is no such key")
	ErrExpired = errors.New("the key has expired")
)

// Keyring finds keys by their tokens. It is safe for concurrent use: Set replaces all keys at once. Use NewKeyring.
type Keyring struct {
	own  []Key // which are there whatever the store has
	keys atomic.Pointer[map[string]Key]

	mu      sync.Mutex // guards the field below
	watches map[string]map[*watch]struct{}
}

// watch waits for the end of a key.
type watch struct{ ended func() }

// NewKeyring returns a Keyring that has only the server's own keys.
func NewKeyring(own ...Key) *Keyring {
	ring := &Keyring{own: own, watches: map[string]map[*watch]struct{}{}}
	ring.Set(nil)
	return ring
}

// Set makes keys and the server's own ones all there are.
func (k *Keyring) Set(keys []Key) {
	byID := make(map[string]Key, len(keys)+len(k.own))
	for _, key := range slices.Concat(keys, k.own) {
		byID[key.ID] = key
	}
	k.keys.Store(&byID)
	for _, w := range k.takeEnded(byID) {
		w.ended()
	}
}

// takeEnded removes and returns the watches of keys that are not there.
func (k *Keyring) takeEnded(keys map[string]Key) (ended []*watch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, watches := range k.watches {
		if _, ok := keys[id]; !ok {
			ended = slices.AppendSeq(ended, maps.Keys(watches))
			delete(k.watches, id)
		}
	}
	return ended
}

// Watch calls ended once, in a goroutine of its own or of Set, when the key is not valid any more, which it may not be
// already. Stop ends that, and is called once it is not needed; ended may be called at the same time.
func (k *Keyring) Watch(key Key, at time.Time, ended func()) (stop func()) {
	var once sync.Once
	w := &watch{func() { once.Do(ended) }}
	k.mu.Lock()
	if k.watches[key.ID] == nil {
		k.watches[key.ID] = map[*watch]struct{}{}
	}
	k.watches[key.ID][w] = struct{}{}
	k.mu.Unlock()
	if _, ok := (*k.keys.Load())[key.ID]; !ok { // it went before it was watched
		w.ended()
	}
	expires := func() bool { return true }
	if !key.Expires.IsZero() {
		expires = time.AfterFunc(key.Expires.Sub(at), w.ended).Stop
	}
	return func() {
		expires()
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.watches[key.ID], w)
		if len(k.watches[key.ID]) == 0 {
			delete(k.watches, key.ID)
		}
	}
}

// Find returns the key of a token at a time, or ErrUnknown or ErrExpired. How long it takes does not depend on how much
// of the secret is right.
func (k *Keyring) Find(token string, at time.Time) (Key, error) {
	id, ok := idOf(token)
	if !ok {
		return Key{}, ErrUnknown
	}
	key, ok := (*k.keys.Load())[id]
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], key.hash[:]) != 1 || !ok {
		return Key{}, ErrUnknown
	}
	if !key.Expires.IsZero() && !at.Before(key.Expires) {
		return Key{}, ErrExpired
	}
	return key, nil
}
