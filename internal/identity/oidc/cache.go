package oidc

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/backstage/functions/internal/identity"
)

// sum identifies a token. The token itself is not kept.
type sum = [sha256.Size]byte

// kept is a token that was verified with the keys of its issuer.
type kept struct {
	*identity.Bearer
	issuer *issuer
	keys   *keyset
}

// isValid says whether k is still a token that the keys of its issuer verify.
func (k kept) isValid(at time.Time) bool {
	now := k.issuer.keys.Load()
	return at.Before(k.Expires) && now.generation == k.keys.generation && !now.isStale(at)
}

// cache keeps verified tokens, so that one who calls often is verified once. It is safe for concurrent use. Use
// newCache.
type cache struct {
	mu     sync.RWMutex // guards the field below
	tokens map[sum]kept
}

func newCache() *cache { return &cache{tokens: map[sum]kept{}} }

// get returns a token that is valid at that time.
func (c *cache) get(of sum, at time.Time) (kept, bool) {
	c.mu.RLock()
	k, ok := c.tokens[of]
	c.mu.RUnlock()
	if !ok || !k.isValid(at) {
		return kept{}, false
	}
	return k, true
}

// put keeps a token. When there is no room, one that is not valid any more makes it, or else any one does.
func (c *cache) put(of sum, k kept, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.tokens) >= maxKept {
		c.makeRoomLocked(at)
	}
	c.tokens[of] = k
}

func (c *cache) makeRoomLocked(at time.Time) {
	const looks = 16 // at tokens in random order: a look at all would make each new one wait
	var anyOne sum
	looked := 0
	for of, k := range c.tokens {
		anyOne = of
		if looked++; !k.isValid(at) || looked == looks {
			break
		}
	}
	delete(c.tokens, anyOne)
}
