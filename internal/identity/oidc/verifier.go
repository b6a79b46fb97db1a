package oidc

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/backstage/functions/internal/identity"
)

// Verifier verifies tokens. It is safe for concurrent use. Use New.
type Verifier struct {
	issuers []*issuer
	cache   *cache
}

// New returns a Verifier that knows no keys until Run fetches them.
func New(o Options) *Verifier {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	v := &Verifier{cache: newCache()}
	for _, described := range o.Issuers {
		v.issuers = append(v.issuers, newIssuer(described, &o))
	}
	return v
}

// Run fetches the keys of all issuers, again and again, until ctx ends.
func (v *Verifier) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, i := range v.issuers {
		all.Go(func() { i.run(ctx) })
	}
	all.Wait()
}

// Issued says whether a text is, or was meant to be, a token of one of the issuers: it is for this server.
func (v *Verifier) Issued(text string) bool {
	if len(text) > maxToken && strings.Count(text, ".") >= 2 {
		return true // nobody looks whose it is
	}
	_, ok := v.of(text)
	return ok
}

// of is the issuer that a token says it is from.
func (v *Verifier) of(token string) (*issuer, bool) {
	name, ok := issuerOf(token)
	if !ok {
		return nil, false
	}
	at := slices.IndexFunc(v.issuers, func(i *issuer) bool { return i.URL == name })
	if at < 0 {
		return nil, false
	}
	return v.issuers[at], true
}

// Find returns who holds a token that is valid at that time, or identity.ErrForeign, ErrKeysUnknown or ErrUnknown,
// whatever is wrong with it. It waits for the issuer when that may have a new key, no longer than ctx.
func (v *Verifier) Find(ctx context.Context, token string, at time.Time) (*identity.Bearer, error) {
	if len(token) > maxToken {
		if v.Issued(token) {
			return nil, identity.ErrUnknown
		}
		return nil, identity.ErrForeign
	}
	id := sha256.Sum256([]byte(token))
	if k, ok := v.cache.get(id, at); ok {
		k.issuer.count(Kept)
		return k.Bearer, nil
	}
	i, ok := v.of(token)
	if !ok {
		return nil, identity.ErrForeign
	}
	b, with, err := i.verify(ctx, token, at)
	switch {
	case errors.Is(err, identity.ErrKeysUnknown):
		i.count(Unknown)
		return nil, identity.ErrKeysUnknown
	case err != nil:
		i.refused(err)
		return nil, identity.ErrUnknown
	}
	i.count(Verified)
	v.cache.put(id, kept{b, i, with}, at)
	return b, nil
}

// Watch calls ended once, in a goroutine of its own or of Run, when b is not valid any more, since its token has
// expired or its issuer does not have the key any more that has signed it. Stop is as that of identity.Watches.
func (v *Verifier) Watch(b *identity.Bearer, at time.Time, ended func()) (stop func()) {
	n := slices.IndexFunc(v.issuers, func(i *issuer) bool { return i.URL == b.Issuer })
	i := v.issuers[n]
	there := func() bool {
		_, ok := i.keys.Load().keys[b.Signer]
		return ok
	}
	return i.watches.Add(b.Signer, b.Expires, at, there, ended)
}

// Check returns what the state of the issuers is, and why one does not work.
func (v *Verifier) Check(context.Context) (message string, err error) {
	var faults []error
	for _, i := range v.issuers {
		if fault := i.state(); fault != nil {
			faults = append(faults, fmt.Errorf("%s: %w", i.URL, fault))
			message = strings.TrimPrefix(message+", the keys of "+i.URL+" cannot be fetched", ", ")
		}
	}
	if faults != nil {
		return message, errors.Join(faults...)
	}
	return "WORKING", nil
}
