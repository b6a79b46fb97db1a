package oidc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// header is the part of a token's first part that is looked at.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

// tokenTypes are the types that a token may have: others are for other purposes, such as to end a session.
var tokenTypes = []string{"", "jwt", "at+jwt", "application/at+jwt"}

// forbiddenMembers are those of a header that change what the token means.
var forbiddenMembers = []string{"crit", "b64", "cty", "enc", "zip"}

var (
	errHeader = errors.New("its header cannot be read")
	errType   = errors.New("its header is not that of a token that says who somebody is")
)

// issuerOf is who a token says that has issued it. It is not verified. False is for what is no signed token.
func issuerOf(token string) (issuer string, ok bool) {
	if strings.Count(token, ".") != 2 || len(token) > maxToken {
		return "", false
	}
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return "", false
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	return claims.Issuer, json.Unmarshal(text, &claims) == nil
}

// headerOf reads and checks the header of a token.
func headerOf(token string) (h header, err error) {
	first, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return h, errHeader
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil || json.Unmarshal(text, &h) != nil {
		return h, errHeader
	}
	for name := range members {
		if slices.Contains(forbiddenMembers, strings.ToLower(name)) {
			return h, errType
		}
	}
	if !slices.Contains(tokenTypes, strings.ToLower(h.Type)) {
		return h, errType
	}
	return h, nil
}

// isCompact says whether a token has the characters of the compact form and no others: libraries drop spaces, and read
// JSON.
func isCompact(token string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	return !strings.ContainsFunc(token, func(c rune) bool { return !strings.ContainsRune(alphabet, c) })
}
