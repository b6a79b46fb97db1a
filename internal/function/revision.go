package function

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/sandbox/rawjson"
)

// ErrIncomplete marks a function without a namespace, an ID, or a text that workers load, one of files without them, or
// a nameless namespace: no store accepts it.
var ErrIncomplete = errors.New("namespace, ID or code is empty")

// Stamp marks one write of a function.
type Stamp struct {
	// VersionID is a new random UUID (RFC 9562, version 4).
	VersionID string
	// Time is the time of the write, in the form of Function.Updated.
	Time string
}

// NewStamp returns the stamp of a write that happens now.
func NewStamp() Stamp {
	return Stamp{VersionID: uuid.NewString(), Time: time.Now().UTC().Format(rawjson.Timestamp)}
}

// Revise returns the revision that a write of f's code and environment makes. Stored is what was there before, nil if
// nothing was: its creation time stays, and so do its environment and each of its options that f brings none for. The
// result shares nothing with f or stored and has neither Settings nor Source.
func (f *Function) Revise(stored *Function, stamp Stamp) *Function {
	next := &Function{
		Ref:       f.Ref,
		Code:      f.Code,
		Hash:      f.sourceHash(),
		Artefact:  f.Artefact.Clone(),
		Env:       f.Env.Clone(),
		Options:   f.Options,
		VersionID: stamp.VersionID,
		Created:   stamp.Time,
		Updated:   stamp.Time,
	}
	if stored != nil {
		next.Created = stored.Created
		next.Options = f.Options.Over(stored.Options)
		if next.Env == nil {
			next.Env = stored.Env.Clone()
		}
	}
	return next
}

// Restamp returns the revision that a change of f's environment makes: a copy that shares nothing with f, with
// an environment, empty if f has none, for the caller to change.
func (f *Function) Restamp(stamp Stamp) *Function {
	next := f.Clone()
	if next.Env == nil {
		next.Env = NewEnv()
	}
	next.VersionID, next.Updated = stamp.VersionID, stamp.Time
	return next
}

// Check returns ErrIncomplete when f cannot be stored.
func (f *Function) Check() error {
	if f.Namespace == "" || f.ID == "" || f.Program() == "" || f.OfFiles() && f.Source == nil {
		return ErrIncomplete
	}
	return nil
}

// sourceHash is the Hash of f.
func (f *Function) sourceHash() string {
	if f.OfFiles() && f.Source != nil {
		return f.Source.Hash()
	}
	return HashOf(f.Code)
}

// Check returns ErrIncomplete when n cannot be stored.
func (n *Namespace) Check() error {
	if n.Name == "" {
		return ErrIncomplete
	}
	return nil
}

// Revision identifies the revision of f: it differs after every write, and is only compared for equality. It is the
// VersionID or, for records that have none, made of the code's hash.
func (f *Function) Revision() string {
	if f.VersionID != "" {
		return f.VersionID
	}
	return "hash:" + f.Hash
}

// Clone returns a copy that shares nothing with f; nil stays nil.
func (f *Function) Clone() *Function {
	if f == nil {
		return nil
	}
	c := *f
	c.Artefact, c.Source = f.Artefact.Clone(), f.Source.Clone()
	c.Env = f.Env.Clone()
	c.Settings = f.Settings.Clone()
	return &c
}

// Clone returns a copy that shares nothing with n; nil stays nil.
func (n *Namespace) Clone() *Namespace {
	if n == nil {
		return nil
	}
	c := *n
	if n.SentryDSN != nil {
		dsn := *n.SentryDSN
		c.SentryDSN = &dsn
	}
	if n.MaxConcurrency != nil {
		c.MaxConcurrency = new(*n.MaxConcurrency)
	}
	return &c
}
