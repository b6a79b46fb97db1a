package function

import (
	"cmp"
	"errors"
	"fmt"
)

// MaxKeys is how many keys a store takes, MaxPublic how many public functions, and MaxNamespaces how many namespaces
// with limits, unless its Limits say otherwise.
const (
	MaxKeys       = 10_000
	MaxPublic     = 10_000
	MaxNamespaces = 100_000
)

// ErrTooManyPublic marks a store that has as many public functions as it takes.
var ErrTooManyPublic = errors.New("there are as many public functions as a server takes")

// ErrPublicShare marks an owner of namespaces with as many public functions as they may have among others.
var ErrPublicShare = errors.New("the owner of the namespace has as many public functions as they may")

// MaxVariables is how many environment variables a function may have, MaxFiles of how many files it may be made.
const (
	MaxVariables = 1024
	MaxFiles     = 1000
)

// mapFactor is how much longer than the files a source map may be.
const mapFactor = 4

// The defaults of Limits, in bytes.
const (
	defaultEnvBytes    = 1 << 20
	defaultRecordBytes = 8 << 20
	defaultSourceBytes = 8 << 20
)

// ErrRecordTooLarge marks a stored record that is larger than a store reads, such as one that another program wrote.
// It can be written anew, with its environment, and deleted.
var ErrRecordTooLarge = errors.New(
	"the stored record is larger than the server reads: put the function again with its env, or delete it",
)

// ErrDamaged marks a stored record whose code is not the one that its hash was made of. It is never run; putting the
// function's code again mends it.
var ErrDamaged = errors.New(
	"the stored code does not match its hash: put the function's code again, restore a backup, or delete the function",
)

// Limits bound the record of one function, and the numbers of what else there may be. The zero value stands for the
// defaults.
type Limits struct {
	// EnvBytes is how long the environment may be as one JSON object; 0 stands for 1 MiB.
	EnvBytes int64
	// RecordBytes is the longest record that is read; 0 stands for 8 MiB.
	RecordBytes int64
	// SourceBytes is how long all files of a function together may be, and a quarter of how long a source map may be; 0
	// stands for 8 MiB.
	SourceBytes int64
	// Routes is how many there may be; 0 stands for MaxRoutes.
	Routes int
	// Keys is how many there may be; 0 stands for MaxKeys. Public is how many functions may be public; 0 stands for
	// MaxPublic.
	Keys, Public int
	// Namespaces is how many may have limits; 0 stands for MaxNamespaces.
	Namespaces int
	// Modules is how many shared modules a namespace may have; 0 stands for MaxModules.
	Modules int
	// Secrets is how many a namespace, and each function, may have; 0 stands for MaxSecrets.
	Secrets int
}

// EnvLimitError says that a write would leave a function with more variables, or longer ones, than it may have.
type EnvLimitError struct {
	// Bytes is the limit on the length of all of them, 0 when their number is too large.
	Bytes int64
}

func (e *EnvLimitError) Error() string {
	if e.Bytes == 0 {
		return fmt.Sprintf("The function would have more than %d environment variables: delete some first", MaxVariables)
	}
	return fmt.Sprintf(
		"The function's environment variables would be longer than %d bytes together: delete or shorten some first", e.Bytes,
	)
}

// Record is the longest record that is read, in bytes.
func (l Limits) Record() int64 { return cmp.Or(l.RecordBytes, defaultRecordBytes) }

// Source is the most that is read of the files of a function, and of its source map, in bytes. A map has names and
// places beside what it maps.
func (l Limits) Source() int64 {
	if l.SourceBytes == 0 {
		return mapFactor * defaultSourceBytes
	}
	return mapFactor * l.SourceBytes
}

// MaxRoutes is how many routes there may be.
func (l Limits) MaxRoutes() int { return cmp.Or(l.Routes, MaxRoutes) }

// MaxKeys is how many keys there may be.
func (l Limits) MaxKeys() int { return cmp.Or(l.Keys, MaxKeys) }

// MaxModules is how many shared modules a namespace may have.
func (l Limits) MaxModules() int { return cmp.Or(l.Modules, MaxModules) }

// MaxSecrets is how many secrets a namespace, and each function, may have.
func (l Limits) MaxSecrets() int { return cmp.Or(l.Secrets, MaxSecrets) }

// MaxPublic is how many functions may be public.
func (l Limits) MaxPublic() int { return cmp.Or(l.Public, MaxPublic) }

// MaxNamespaces is how many namespaces may have limits.
func (l Limits) MaxNamespaces() int { return cmp.Or(l.Namespaces, MaxNamespaces) }

func (l Limits) env() int64 { return cmp.Or(l.EnvBytes, defaultEnvBytes) }

// Set sets a variable of e, or returns an *EnvLimitError when e would then be beyond the limits and larger than it
// was: one that has always been too large can still be mended. E must not be used after an error.
func (l Limits) Set(e *Env, name, value string) error {
	count, size := e.Len(), e.size()
	e.Set(name, value)
	if e.Len() > MaxVariables && e.Len() > count {
		return &EnvLimitError{}
	}
	if after := e.size(); after > l.env() && after > size {
		return &EnvLimitError{Bytes: l.env()}
	}
	return nil
}

// EnvEdit changes an environment, or returns why it cannot.
type EnvEdit func(*Env) error

// Setting is Set as an edit.
func (l Limits) Setting(name, value string) EnvEdit {
	return func(e *Env) error { return l.Set(e, name, value) }
}

// Unsetting removes a variable, or returns ErrEnvNotFound.
func Unsetting(name string) EnvEdit {
	return func(e *Env) error {
		if !e.Unset(name) {
			return ErrEnvNotFound
		}
		return nil
	}
}

// Check returns an *EnvLimitError when e, which replaces what is stored, is beyond the limits.
func (l Limits) Check(e *Env) error {
	switch {
	case e.Len() > MaxVariables:
		return &EnvLimitError{}
	case e != nil && e.size() > l.env():
		return &EnvLimitError{Bytes: l.env()}
	}
	return nil
}

// size is the length of e as JSON.
func (e *Env) size() int64 {
	text, err := e.MarshalJSON()
	if err != nil { // an Env always marshals
		panic(err)
	}
	return int64(len(text))
}
