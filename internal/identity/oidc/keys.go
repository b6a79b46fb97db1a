package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// minRSA is the shortest RSA key that is used, in bits, and maxRSA the longest: tokens of longer ones are expensive.
const minRSA, maxRSA = 2048, 8192

// algorithms are those that tokens may be signed with: all of them have a key that is secret and one that is not, so
// that nobody signs with what everybody can fetch.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// keys are the public keys of an issuer, by what identifies them.
type keys map[string]jose.JSONWebKey

// parseKeys reads a JWK set (RFC 7517). Keys for other purposes, secret ones and weak ones are left out.
func parseKeys(text []byte) (keys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("its keys are no JWK set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("it has %d keys, which is more than %d", len(set.Keys), maxKeys)
	}
	found := keys{}
	for _, one := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(one, &key) != nil || !isUsable(&key) { // of a kind that the library does not know
			continue
		}
		sum, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			continue
		}
		found[base64.RawURLEncoding.EncodeToString(sum)+" "+key.KeyID] = key
	}
	if len(found) == 0 {
		return nil, errors.New("it has no key that tokens can be signed with")
	}
	return found, nil
}

func isUsable(key *jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
		return false
	}
	if key.Algorithm != "" && !slices.Contains(algorithms, jose.SignatureAlgorithm(key.Algorithm)) {
		return false
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minRSA && k.N.BitLen() <= maxRSA
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// of returns the names of the keys that may have signed a token with that key ID and algorithm. Without a key ID, an
// issuer must have one key alone.
func (k keys) of(kid, algorithm string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(k)) {
		key := k[name]
		if (key.KeyID == kid || kid == "" && len(k) == 1) && (key.Algorithm == "" || key.Algorithm == algorithm) {
			names = append(names, name)
		}
	}
	return names
}

// has says whether a key with that ID is there, whatever for; without an ID, whether any is.
func (k keys) has(kid string) bool {
	for _, key := range k {
		if key.KeyID == kid || kid == "" {
			return true
		}
	}
	return false
}

// same says whether both have the same keys.
func (k keys) same(other keys) bool {
	return maps.EqualFunc(k, other, func(a, b jose.JSONWebKey) bool { return a.Algorithm == b.Algorithm })
}
