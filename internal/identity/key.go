package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// MaxPatterns is how many patterns one key may have.
const MaxPatterns = 100

var (
	// ErrNotFound marks a key that is not there.
	ErrNotFound = errors.New("key not found")
	// ErrTooMany marks a store that has as many keys as it takes.
	ErrTooMany = errors.New("there are as many keys as a server takes: delete some first")
	// ErrShare marks an administrator of some namespaces who has made as many keys as they may among others.
	ErrShare = errors.New("there are as many keys as one administrator of some namespaces may make: delete some first")
	// ErrIncomplete marks a key that cannot be stored.
	ErrIncomplete = errors.New("a key needs an ID, a role and namespaces")
)

// Key is what is kept of a key. Its token cannot be made from it.
type Key struct {
	// ID names it. It is no secret.
	ID string
	// Name says what it is for; it may be empty.
	Name string
	Role Role
	// Namespaces are those that Role holds for.
	Namespaces []Pattern
	// Root names who answers for the key: the first in the line of its makers who may not do everything, by the ID of
	// their key, or by issuer and subject of their token. Empty for a key that was made by one who may.
	Root    string
	Created time.Time
	// Expires is when it stops being valid; the zero value stands for never.
	Expires time.Time
	// Limits are those of all calls with it together.
	Limits usage.Limits
	hash   hash
}

// New returns k as a new key, with an ID, and its token, which is shown once.
func New(k Key) (Key, string) {
	var token string
	k.ID, token = newToken()
	k.hash = sha256.Sum256([]byte(token))
	return k, token
}

// Of returns the key of a token that someone has kept, with that role everywhere; false if it is no token.
func Of(token, name string, role Role) (Key, bool) {
	id, ok := idOf(token)
	return Key{ID: id, Name: name, Role: role, Namespaces: []Pattern{Everywhere}, hash: sha256.Sum256([]byte(token))}, ok
}

// Has says whether k has that role, be it in one namespace.
func (k Key) Has(role Role) bool { return k.Role.Includes(role) }

// May says whether k may do in the namespace what role may.
func (k Key) May(role Role, namespace string) bool {
	matches := func(p Pattern) bool { return p.Matches(namespace) }
	return k.Role.Includes(role) && slices.ContainsFunc(k.Namespaces, matches)
}

// MayIn says whether k may do what role may in all namespaces of the pattern.
func (k Key) MayIn(role Role, all Pattern) bool {
	covers := func(p Pattern) bool { return p.Covers(all) }
	return k.Role.Includes(role) && slices.ContainsFunc(k.Namespaces, covers)
}

// Gives says whether who has k may make, see and delete other: it may do nothing that k may not.
func (k Key) Gives(other Key) bool {
	beyond := func(p Pattern) bool { return !k.MayIn(Admin, p) }
	return k.Role.Includes(other.Role) && len(other.Namespaces) > 0 && !slices.ContainsFunc(other.Namespaces, beyond)
}

// Outlives says whether k, which is to make other, is valid for as long. It sets an end that other does not have.
func (k Key) Outlives(other *Key) bool {
	if other.Expires.IsZero() {
		other.Expires = k.Expires
	}
	return k.Expires.IsZero() || !other.Expires.After(k.Expires)
}

// Check returns ErrIncomplete when k cannot be stored.
func (k Key) Check() error {
	if k.ID == "" || !k.Role.Valid() || len(k.Namespaces) == 0 || k.hash == (hash{}) {
		return ErrIncomplete
	}
	return nil
}

// Compare orders keys by their IDs.
func (k Key) Compare(other Key) int { return strings.Compare(k.ID, other.ID) }

// Equal says whether the two keys are the same in all that is kept of them.
func (k Key) Equal(other Key) bool {
	return k.ID == other.ID && bytes.Equal(k.Record(), other.Record())
}

// record is a stored Key.
type record struct {
	Name       string          `json:"name,omitempty"`
	Role       Role            `json:"role"`
	Namespaces []Pattern       `json:"namespaces"`
	Root       string          `json:"root,omitempty"`
	Created    time.Time       `json:"created"`
	Expires    *time.Time      `json:"expires,omitempty"`
	Rate       string          `json:"rate,omitempty"`
	Quotas     json.RawMessage `json:"quotas,omitempty"`
	Hash       string          `json:"hash"`
}

// Record is k without its ID as a JSON text, as stores keep it.
func (k Key) Record() []byte {
	r := record{
		Name: k.Name, Role: k.Role, Namespaces: k.Namespaces, Root: k.Root, Created: k.Created,
		Hash: hex.EncodeToString(k.hash[:]),
	}
	if !k.Expires.IsZero() {
		r.Expires = &k.Expires
	}
	r.Rate = k.Limits.Rate.String()
	if k.Limits.Quotas.IsSet() {
		r.Quotas = k.Limits.Quotas.JSON()
	}
	text, err := json.Marshal(r)
	if err != nil { // times from year 0 to 9999 marshal, and so does text
		panic(err)
	}
	return text
}

// Parse is the inverse of Record. A record that grants what it does not say clearly is refused.
func Parse(id string, text []byte) (Key, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return Key{}, fmt.Errorf("record of key %s: %w", id, err)
	}
	k := Key{ID: id, Name: r.Name, Role: r.Role, Namespaces: r.Namespaces, Root: r.Root, Created: r.Created}
	if r.Expires != nil {
		k.Expires = *r.Expires
	}
	if err := k.parseLimits(&r); err != nil {
		return Key{}, fmt.Errorf("record of key %s: its limits: %w", id, err)
	}
	if n, err := hex.Decode(k.hash[:], []byte(r.Hash[:min(len(r.Hash), 2*len(k.hash))])); err != nil || n != len(k.hash) {
		return Key{}, fmt.Errorf("record of key %s: its hash is no SHA-256", id)
	}
	if err := k.Check(); err != nil {
		return Key{}, fmt.Errorf("record of key %s: %w", id, err)
	}
	return k, nil
}

func (k *Key) parseLimits(r *record) (err error) {
	if k.Limits.Rate, err = usage.ParseRate(r.Rate); err != nil || r.Quotas == nil {
		return err
	}
	k.Limits.Quotas, err = usage.ParseQuotas(r.Quotas)
	return err
}
