package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// MaxSecrets is how many secrets a function or a namespace may have unless the Limits of a store say otherwise.
// MaxSecretBytes is how long the value of one may be, and MaxSecretNames how many a function may ask for.
const (
	MaxSecrets     = 100
	MaxSecretBytes = 16 << 10
	MaxSecretNames = 32
)

var (
	// ErrSecretNotFound marks a secret that is not there.
	ErrSecretNotFound = errors.New("secret not found")
	// ErrTooManySecrets marks a function or a namespace that has as many secrets as it may.
	ErrTooManySecrets = errors.New("there are as many secrets as a function or a namespace may have: delete some first")
	// ErrSecretConflict marks a secret that somebody else has changed since it was read: read it again.
	ErrSecretConflict = errors.New("the secret was changed at the same time")
)

// SecretScope is whose secrets they are: those of a function, or with an empty ID those of a namespace, which all of
// its functions may ask for.
type SecretScope struct{ Namespace, ID string }

// String is the namespace, or the name of the function.
func (s SecretScope) String() string {
	if s.ID == "" {
		return s.Namespace
	}
	return s.Namespace + "/" + s.ID
}

// Compare orders scopes by namespace, those of the namespace before those of its functions.
func (s SecretScope) Compare(other SecretScope) int {
	return Ref(s).Compare(Ref(other))
}

// SecretRef names a secret.
type SecretRef struct {
	SecretScope
	Name string
}

// String is the scope and the name of the secret.
func (r SecretRef) String() string { return r.SecretScope.String() + "/" + r.Name }

// Secret is what is stored of a secret.
type Secret struct {
	SecretRef
	// Version counts the values that the secret has had since it was made, from 1.
	Version int64
	// Created and Updated are times with milliseconds. Updated grows with each version, whatever clocks say.
	Created, Updated time.Time
	// Sealed is the encrypted value.
	Sealed []byte
	// stored is the record that the secret was read from; nil for a new one.
	stored []byte
}

// secretName is a name that can follow "Backstage.secrets." and can be that of a file.
var secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// SecretNameFault is the end of a sentence about the name of a secret; empty when nothing is wrong with it.
func SecretNameFault(name string) string {
	if secretName.MatchString(name) {
		return ""
	}
	return " is no name of a secret: it may have letters, digits and _, no digit at first, up to 128"
}

// Check returns ErrIncomplete when s cannot be stored.
func (s *Secret) Check() error {
	if s.Namespace == "" || SecretNameFault(s.Name) != "" || s.Version < 1 || len(s.Sealed) == 0 {
		return ErrIncomplete
	}
	return nil
}

// Whole says whether the stored record could be read. One that another program has damaged cannot be, but it can be
// replaced and deleted.
func (s *Secret) Whole() bool { return s.Version > 0 }

// secretRecord is a stored Secret.
type secretRecord struct {
	Version int64     `json:"version"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	Sealed  []byte    `json:"sealed"`
}

// Record is s without its name as a JSON text, as stores keep it: that which it was read from, or else what it has.
func (s *Secret) Record() []byte {
	if s.stored != nil {
		return s.stored
	}
	text, err := json.Marshal(secretRecord{s.Version, s.Created, s.Updated, s.Sealed})
	if err != nil { // times from year 0 to 9999 marshal, and so do numbers and bytes
		panic(err)
	}
	return text
}

// With is s with another encryption of its value.
func (s *Secret) With(sealed []byte) *Secret {
	next := *s
	next.Sealed, next.stored = sealed, nil
	return &next
}

// Clone returns a copy that shares nothing with s.
func (s *Secret) Clone() *Secret {
	c := *s
	c.Sealed, c.stored = bytes.Clone(s.Sealed), bytes.Clone(s.stored)
	return &c
}

// ParseSecret is the inverse of Record. A text that is none makes a secret that is not Whole.
func ParseSecret(ref SecretRef, text []byte) *Secret {
	s := &Secret{SecretRef: ref, stored: append([]byte{}, text...)}
	var r secretRecord
	if json.Unmarshal(text, &r) != nil || r.Version < 1 || len(r.Sealed) == 0 {
		return s
	}
	s.Version, s.Created, s.Updated, s.Sealed = r.Version, r.Created.UTC(), r.Updated.UTC(), r.Sealed
	return s
}

// SecretNames are what a function asks for: names of secrets, each once.
type SecretNames []string

// secretNames is an option that is a list of names of secrets; [] stands for none.
func secretNames(name string, at func(*Options) **SecretNames) Option {
	option := newOption(name, at, SecretNames.json, func(text string) (SecretNames, bool) {
		names, err := parseSecretNames([]byte(text))
		return names, err == nil
	})
	option.JSON, option.sample = true, `["STRIPE","DATABASE_URL"]`
	option.fault = func(text string) string {
		_, err := parseSecretNames([]byte(text))
		return err.Error()
	}
	return option
}

func (n SecretNames) json() string {
	text, err := json.Marshal(append([]string{}, n...))
	if err != nil { // names always marshal
		panic(err)
	}
	return string(text)
}

// parseSecretNames reads the option. Its error is the end of a sentence that begins with its name.
func parseSecretNames(text []byte) (SecretNames, error) {
	var names []string
	if json.Unmarshal(text, &names) != nil || names == nil {
		return nil, errors.New(` is not an array of names of secrets, such as ["STRIPE"]`)
	}
	if len(names) > MaxSecretNames {
		return nil, fmt.Errorf(" has %d names, %d are the most", len(names), MaxSecretNames)
	}
	seen := map[string]bool{}
	for i, name := range names {
		if fault := SecretNameFault(name); fault != "" {
			return nil, fmt.Errorf("[%d] %.200q%s", i, name, fault)
		}
		if seen[name] {
			return nil, fmt.Errorf("[%d] is %s, which is there already", i, name)
		}
		seen[name] = true
	}
	return names, nil
}
