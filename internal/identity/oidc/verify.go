package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/backstage/functions/internal/identity"
)

var (
	errForm     = errors.New("it is not in the compact form")
	errNoSigner = errors.New("its issuer does not have the key that it names")
	errAudience = errors.New("it is for somebody else")
	errEarly    = errors.New("it is not valid yet")
	errExpired  = errors.New("it has expired")
	errSubject  = errors.New("it does not say who its holder is")
	errClaims   = errors.New("its claims are not UTF-8")
)

// verify returns who holds a token of i, and the keys that it was verified with.
func (i *issuer) verify(ctx context.Context, token string, at time.Time) (*identity.Bearer, *keyset, error) {
	if !isCompact(token) {
		return nil, nil, errForm
	}
	h, err := headerOf(token)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(algorithms, jose.SignatureAlgorithm(h.Algorithm)) {
		return nil, nil, fmt.Errorf("tokens must not be signed with %q", h.Algorithm)
	}
	set := i.keysFor(ctx, h.KeyID)
	if set.isStale(at) {
		return nil, nil, identity.ErrKeysUnknown
	}
	for _, signer := range set.keys.of(h.KeyID, h.Algorithm) {
		verified, checkErr := i.check(ctx, token, signer, set.keys[signer], at)
		if checkErr == nil {
			b, err := i.bearer(verified, signer, at)
			return b, set, err
		}
		err = checkErr
	}
	if err == nil {
		err = errNoSigner
	}
	return nil, nil, err
}

// keysFor are the keys of the issuer, which are fetched again if none has that ID.
func (i *issuer) keysFor(ctx context.Context, kid string) *keyset {
	set := i.keys.Load()
	if set.fetched.IsZero() {
		i.await(ctx)
		set = i.keys.Load()
	}
	if set.fetched.IsZero() || set.keys.has(kid) {
		return set
	}
	i.refetch(ctx)
	return i.keys.Load()
}

// one is an oidc.KeySet of one key.
type one struct{ key jose.JSONWebKey }

// VerifySignature implements oidc.KeySet.
func (k one) VerifySignature(_ context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	return signed.Verify(k.key.Key)
}

func (i *issuer) check(
	ctx context.Context, token, signer string, key jose.JSONWebKey, at time.Time,
) (*oidc.IDToken, error) {
	verifier := oidc.NewVerifier(i.URL, one{key}, &oidc.Config{
		SkipClientIDCheck:    true, // there may be several: see bearer
		SupportedSigningAlgs: algorithmNames(), Now: func() time.Time { return at },
	})
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("with the key %.100q: %w", signer, err)
	}
	return verified, nil
}

// bearer checks what a token says that was signed by the issuer, and returns who holds it.
func (i *issuer) bearer(token *oidc.IDToken, signer string, at time.Time) (*identity.Bearer, error) {
	isOurs := func(a string) bool { return slices.Contains(i.Audiences, a) }
	if !slices.ContainsFunc(token.Audience, isOurs) {
		return nil, errAudience
	}
	var text json.RawMessage
	var claims map[string]json.RawMessage
	var times struct {
		NotBefore *float64 `json:"nbf"`
	}
	if err := errors.Join(token.Claims(&text), token.Claims(&claims), token.Claims(&times)); err != nil {
		return nil, err
	}
	switch latest := at.Add(skew); {
	case token.IssuedAt.After(latest), times.NotBefore != nil && *times.NotBefore > float64(latest.Unix()):
		return nil, errEarly
	case !at.Before(token.Expiry):
		return nil, errExpired
	case token.Subject == "":
		return nil, errSubject
	case !utf8.Valid(text):
		return nil, errClaims
	}
	return &identity.Bearer{
		Issuer: i.URL, Subject: token.Subject, Claims: text, Expires: token.Expiry, Signer: signer,
		Grants: i.GrantsOf(claims), Runs: i.Namespaces,
	}, nil
}

func algorithmNames() []string {
	names := make([]string, len(algorithms))
	for n, a := range algorithms {
		names[n] = string(a)
	}
	return names
}
