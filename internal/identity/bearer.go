package identity

import (
	"encoding/json"
	"errors"
	"slices"
	"time"
)

var (
	// ErrForeign marks a text that is no token of one of the issuers.
	ErrForeign = errors.New("it is no token of an issuer")
	// ErrKeysUnknown marks a token that cannot be verified, since the keys of its issuer are not known.
	ErrKeysUnknown = errors.New("the keys of the issuer are not known")
)

// MadeByToken is how long a key is valid at most that is made by the holder of a token of an issuer. Tokens end within
// the hour, and keys are for programs; but nobody is to have a key without an end whom an issuer may send away.
const MadeByToken = 90 * 24 * time.Hour

// Grant is a role in namespaces.
type Grant struct {
	Role       Role      `json:"role"`
	Namespaces []Pattern `json:"namespaces"`
}

// covers says whether who has g may do what role may in all namespaces of the pattern.
func (g Grant) covers(role Role, all Pattern) bool {
	return g.Role.Includes(role) && slices.ContainsFunc(g.Namespaces, func(p Pattern) bool { return p.Covers(all) })
}

// Bearer is who holds a valid token of an issuer, and what they may do. It must not be changed.
type Bearer struct {
	Issuer, Subject string
	// Claims is what the issuer says of them: a JSON object.
	Claims json.RawMessage
	// Expires is when the token stops being valid.
	Expires time.Time
	// Signer names the key of the issuer that has signed the token.
	Signer string
	Grants []Grant
	// Runs are the namespaces whose functions they may run that any holder of a token may.
	Runs []Pattern
}

// Has says whether b has that role, be it in one namespace.
func (b *Bearer) Has(role Role) bool {
	return slices.ContainsFunc(b.Grants, func(g Grant) bool { return g.Role.Includes(role) })
}

// May says whether b may do in the namespace what role may.
func (b *Bearer) May(role Role, namespace string) bool {
	matches := func(p Pattern) bool { return p.Matches(namespace) }
	return slices.ContainsFunc(b.Grants, func(g Grant) bool {
		return g.Role.Includes(role) && slices.ContainsFunc(g.Namespaces, matches)
	})
}

// MayIn says whether b may do what role may in all namespaces of the pattern.
func (b *Bearer) MayIn(role Role, all Pattern) bool {
	return slices.ContainsFunc(b.Grants, func(g Grant) bool { return g.covers(role, all) })
}

// MayRun says whether b may run the functions of the namespace that any holder of a token may.
func (b *Bearer) MayRun(namespace string) bool {
	return slices.ContainsFunc(b.Runs, func(p Pattern) bool { return p.Matches(namespace) })
}

// Gives says whether b may make, see and delete a key: it may do nothing that b may not.
func (b *Bearer) Gives(k Key) bool {
	beyond := func(p Pattern) bool { return !b.MayIn(Admin, p) }
	return k.Role.Valid() && len(k.Namespaces) > 0 && !slices.ContainsFunc(k.Namespaces, beyond)
}

// Outlives says whether b may make k, as far as its end goes. It sets an end that k does not have.
func (b *Bearer) Outlives(k *Key) bool {
	last := k.Created.Add(MadeByToken)
	if k.Expires.IsZero() {
		k.Expires = last
	}
	return !k.Expires.After(last)
}
