package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
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
	keys atomic.Pointer[map[string]*Key]

	watches Watches
}

// NewKeyring returns a Keyring that has only the server's own keys.
func NewKeyring(own ...Key) *Keyring {
	ring := &Keyring{own: own}
	ring.Set(nil)
	return ring
}

// Set makes keys and the server's own ones all there are.
func (k *Keyring) Set(keys []Key) {
	byID := make(map[string]*Key, len(keys)+len(k.own))
	for _, key := range slices.Concat(keys, k.own) {
		byID[key.ID] = &key
	}
	k.keys.Store(&byID)
	k.watches.EndUnless(func(id string) bool {
		_, ok := byID[id]
		return ok
	})
}

// Watch calls ended once, in a goroutine of its own or of Set, when the key is not valid any more, which it may not be
// already. Stop ends that, and is called once it is not needed; ended may be called at the same time.
func (k *Keyring) Watch(key *Key, at time.Time, ended func()) (stop func()) {
	there := func() bool {
		_, ok := (*k.keys.Load())[key.ID]
		return ok
	}
	return k.watches.Add(key.ID, key.Expires, at, there, ended)
}

// Find returns the key of a token at a time, which is not to be changed, or ErrUnknown or ErrExpired. How long it takes
// does not depend on how much of the secret is right. The hash is of the whole token: the checksum needs no look of its
// own.
func (k *Keyring) Find(token string, at time.Time) (*Key, error) {
	id, ok := claimedID(token)
	if !ok {
		return nil, ErrUnknown
	}
	key, ok := (*k.keys.Load())[id]
	if !ok {
		key = &Key{}
	}
	var text [tokenLength]byte
	copy(text[:], token)
	sum := sha256.Sum256(text[:])
	if subtle.ConstantTimeCompare(sum[:], key.hash[:]) != 1 || !ok {
		return nil, ErrUnknown
	}
	if !key.Expires.IsZero() && !at.Before(key.Expires) {
		return nil, ErrExpired
	}
	return key, nil
}
