// Package function holds what a stored function is: its name, its code, its environment and its namespace.
// It does no I/O and imports nothing of this project.
package function

import (
	"crypto/sha1" //nolint:gosec // the contract's hash; a change detector, not a signature
	"encoding/hex"
	"errors"
)

// Errors of a look-up. Stores return them wrapped or bare; compare with errors.Is.
var (
	ErrNotFound          = errors.New("function not found")
	ErrEnvNotFound       = errors.New("environment variable not found")
	ErrNamespaceNotFound = errors.New("namespace not found")
	// ErrUnavailable marks a store that cannot be reached now: the same request may succeed later.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrFull marks a store that has no room for what is written. Such an error is ErrUnavailable too; reading works.
	ErrFull = errors.New("storage is full")
	// ErrInvalidPage marks a page or page size below one.
	ErrInvalidPage = errors.New("Page and / or Per Page cannot be lower than 1")
)

// Ref names a function: a namespace and an ID, both any non-empty text.
type Ref struct {
	Namespace string
	ID        string
}

// String is "namespace/id", the form that error texts and pipelines use.
func (r Ref) String() string { return r.Namespace + "/" + r.ID }

// Filename is the name that stack frames and log files show: "namespace/id.js".
func (r Ref) Filename() string { return r.Namespace + "/" + r.ID + ".js" }

// Function is one stored function.
type Function struct {
	Ref
	// Code is what a deploy gave as code; empty for a function of files.
	Code string
	// Hash is the lower-case hex SHA-1 of Code, or the hash of the Source of a function of files. It tells whether the
	// source is as it was stored, and is the ETag of a deploy.
	Hash string
	// Artefact is what workers load instead of Code; nil when they load Code itself.
	Artefact *Artefact
	// Source is what Artefact was built from, for stores to keep. They return it only from a method of its own.
	Source *Source
	// Env holds the function's own variables; nil means that none were ever stored, which differs from an empty set.
	Env *Env
	// Options say how it runs.
	Options Options
	// VersionID is a UUID drawn anew on every write, as the original calls it: see Revision. It is empty when a record
	// that an early original wrote has none.
	VersionID string
	// Created and Updated are ISO 8601 times in UTC with milliseconds, kept as the text that was stored.
	Created string
	Updated string
	// Settings are those of the function's namespace; nil when the namespace has none.
	Settings *Namespace
}

// Program is the text that workers load.
func (f *Function) Program() string {
	if f.Artefact != nil {
		return f.Artefact.Code
	}
	return f.Code
}

// Shown is the text whose lines errors and output of f name, unless a source map tells of others.
func (f *Function) Shown() string {
	if f.Artefact != nil && f.Artefact.Lowered {
		return f.Code
	}
	return f.Program()
}

// OfFiles says whether f was deployed with files, and not with code.
func (f *Function) OfFiles() bool { return f.Code == "" && f.Artefact != nil }

// Namespace is the record of a namespace.
type Namespace struct {
	Name string
	// SentryDSN is where errors of the namespace's functions are reported; nil when not set.
	SentryDSN *string
	// MaxConcurrency is how many calls of all its functions may run or wait at the same time on one server; nil and 0
	// stand for as many as the server's own settings allow.
	MaxConcurrency *int
}

// SentryDSN is the address that errors of f are reported to: the function's own variable, else its namespace's, else
// nil.
func (f *Function) SentryDSN() *string {
	if dsn, ok := f.Env.Get("sentryDSN"); ok && dsn != "" && f.Env.IsString("sentryDSN") {
		return &dsn
	}
	if f.Settings != nil {
		return f.Settings.SentryDSN
	}
	return nil
}

// HashOf is the lower-case hex SHA-1 of code.
func HashOf(code string) string {
	sum := sha1.Sum([]byte(code)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// Query selects a page of the list of functions.
type Query struct {
	// Namespace limits the list to one namespace; empty lists all.
	Namespace string
	// ID limits it further to one function; used only together with Namespace.
	ID string
	// Page counts from 1; PerPage is the page's size. Values below 1 are ErrInvalidPage.
	Page    int
	PerPage int
}

// Page is one page of the list, sorted by namespace and ID.
type Page struct {
	Items []Ref
	// Total counts all matches of the query.
	Total int
}

// NotFoundError is ErrNotFound with the name that was not found; its text is the one the HTTP contract asks for.
type NotFoundError struct{ Ref Ref }

func (e *NotFoundError) Error() string { return "Code '" + e.Ref.String() + "' is not found" }

// Is makes the error match ErrNotFound.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }
