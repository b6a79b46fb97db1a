package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/identity/oidc"
)

// issuer is one of tests: a server of its documents, and keys to sign with.
type issuer struct {
	*httptest.Server
	now atomic.Pointer[time.Time]

	mu      sync.Mutex // guards the fields below
	keys    []jose.JSONWebKey
	fetched int
	answer  http.HandlerFunc // instead of the keys; nil for them
	config  map[string]any
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newECDSA(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// private is a key to sign with.
func private(key crypto.PrivateKey, kid string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key, KeyID: kid}
}

func newIssuer(tb testing.TB, keys ...jose.JSONWebKey) *issuer {
	tb.Helper()
	i := &issuer{}
	start := time.Now()
	i.now.Store(&start)
	i.setKeys(keys...)
	i.Server = httptest.NewServer(i)
	tb.Cleanup(i.Close)
	i.config = map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r.URL.Path == "/.well-known/openid-configuration" {
		_ = json.NewEncoder(w).Encode(i.config)
		return
	}
	i.fetched++
	if i.answer != nil {
		i.answer(w, r)
		return
	}
	set := jose.JSONWebKeySet{}
	for _, key := range i.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	_ = json.NewEncoder(w).Encode(set)
}

func (i *issuer) setKeys(keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

func (i *issuer) answerWith(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

func (i *issuer) fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetched
}

// later moves the clock.
func (i *issuer) later(by time.Duration) {
	moved := i.at().Add(by)
	i.now.Store(&moved)
}

func (i *issuer) at() time.Time { return *i.now.Load() }

// described is the issuer as an operator describes it.
func (i *issuer) described() identity.Issuer {
	return identity.Issuer{
		URL: i.URL, Audiences: []string{"functions", "other"}, Namespaces: []identity.Pattern{"shop*"},
		Roles: []identity.Rule{
			{Claim: "groups", Value: "team", Grant: identity.Grant{Role: identity.Deploy, Namespaces: []identity.Pattern{"shop"}}},
		},
	}
}

// verifier is one that knows the issuer and fetches its keys until the test ends.
func (i *issuer) verifier(tb testing.TB) *oidc.Verifier {
	tb.Helper()
	v := oidc.New(oidc.Options{Issuers: []identity.Issuer{i.described()}, Now: i.at})
	ctx, cancel := context.WithCancel(tb.Context())
	var runs sync.WaitGroup
	runs.Go(func() { v.Run(ctx) })
	tb.Cleanup(func() {
		cancel()
		runs.Wait()
	})
	return v
}

// claims are those of a good token, with changes; nil takes one away.
func (i *issuer) claims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"iss": i.URL, "aud": "functions", "sub": "ada", "exp": i.at().Add(time.Hour).Unix(), "iat": i.at().Unix(),
		"groups": []string{"team"},
	}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// sign makes a token of claims.
func sign(tb testing.TB, key jose.JSONWebKey, algorithm jose.SignatureAlgorithm, claims any, headers ...any) string {
	tb.Helper()
	payload, ok := claims.([]byte)
	if !ok {
		var err error
		if payload, err = json.Marshal(claims); err != nil {
			tb.Fatal(err)
		}
	}
	options := &jose.SignerOptions{}
	for n := 0; n < len(headers); n += 2 {
		options.WithHeader(jose.HeaderKey(headers[n].(string)), headers[n+1]) //nolint:forcetypeassert // as callers write them
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		tb.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// find has v look at a token, and fails unless that ends with want.
func find(t *testing.T, v *oidc.Verifier, i *issuer, token string, want error) *identity.Bearer {
	t.Helper()
	b, err := v.Find(t.Context(), token, i.at())
	if !errors.Is(err, want) {
		t.Errorf("found %+v, %v, want %v", b, err, want)
	}
	return b
}
