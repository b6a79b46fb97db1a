package oidc

import (
	"time"
)

// keyset is what is known of the keys of an issuer. It does not change.
type keyset struct {
	keys keys
	// generation is another one after each change of the keys.
	generation uint64
	// fetched is when the issuer was last seen to have these keys; the zero value is never.
	fetched time.Time
}

// isStale says whether nobody knows any more whether the keys are valid.
func (k *keyset) isStale(at time.Time) bool {
	return k.fetched.IsZero() || at.Sub(k.fetched) >= staleAfter
}

// with is k after a fetch.
func (k *keyset) with(fetched keys, at time.Time) *keyset {
	next := &keyset{keys: fetched, generation: k.generation, fetched: at}
	if !k.keys.same(fetched) {
		next.generation++
	}
	return next
}
