package audit

import (
	"errors"
	"slices"
	"time"
)

// MaxLimit is the most records that one reading returns.
const MaxLimit = 1000

// ErrCursor marks a cursor that no reading has returned.
var ErrCursor = errors.New("before is not the id of a record")

// Keep says how many records are kept.
type Keep struct {
	// Records is how many there may be, above 0. A store may keep a sixteenth more.
	Records int
	// Age is how long each is kept, above 0.
	Age time.Duration
}

// Slack is how many records a store has, at most, before it drops those beyond Records.
func (k Keep) Slack() int { return k.Records + k.Records/16 }

// Query selects records, the newest first.
type Query struct {
	// Before leaves out the record of this ID and all newer ones; empty leaves out none.
	Before string
	// Limit is the most records that are returned, above 0.
	Limit int
	// Match says whether a record is selected; nil selects all.
	Match func(Record) bool
}

// Matches says whether q selects r.
func (q Query) Matches(r Record) bool { return q.Match == nil || q.Match(r) }

// Page is what a reading returns.
type Page struct {
	// Items are the records, the newest first.
	Items []Record
	// More says that there are older ones that may match: the ID of the last item is where to go on.
	More bool
}

// Filter selects records by what they say. Empty fields select all.
type Filter struct {
	// Since leaves out what is older.
	Since                            time.Time
	Namespace, Actor, Action, Result string
}

// Matches says whether f selects r.
func (f Filter) Matches(r Record) bool {
	return (f.Since.IsZero() || !r.Time.Before(f.Since)) &&
		(f.Namespace == "" || slices.Contains(r.Namespaces, f.Namespace)) &&
		(f.Actor == "" || r.Actor == f.Actor) &&
		(f.Action == "" || r.Action == f.Action) &&
		(f.Result == "" || string(r.Result) == f.Result)
}
