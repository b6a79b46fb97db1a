package queue

import (
	"errors"
	"time"

	"github.com/backstage/functions/internal/function"
)

// Errors of stores.
var (
	// ErrNotFound: there is no such call, or no longer.
	ErrNotFound = errors.New("call not found")
	// ErrLost: the take is over, by its lease or because the call was cancelled.
	ErrLost = errors.New("the lease of the call is lost")
	// ErrFull: the namespace has as many calls as it may, or they take as much as they may.
	ErrFull = errors.New("the namespace has too many queued calls")
	// ErrStoreFull: all namespaces together have as many calls as they may, or they take as much as they may.
	ErrStoreFull = errors.New("the store has too many queued calls")
	// ErrUnsupported: the store is too old to keep calls.
	ErrUnsupported = errors.New("the store cannot keep queued calls")
	// ErrNotSettled: a call that is queued or running cannot be redriven.
	ErrNotSettled = errors.New("the call is not dead and not cancelled")
	// ErrSettled: the call has succeeded, and cannot be cancelled any more.
	ErrSettled = errors.New("the call is settled")
	// ErrIncomplete: a call without an ID or a function, or one that could never run.
	ErrIncomplete = errors.New("the call is incomplete")
)

// Limits bound the calls of one namespace, and those of all namespaces together, settled ones included. Calls that
// succeeded or were cancelled make room, the oldest first, unless their idempotency key still counts: those of the same
// namespace for its limits, and for those of all those of the namespace that has most. Of what makes no room a
// namespace may have as much as is left for others then: see Leaves.
type Limits struct {
	Calls int
	Bytes int64
	// AllCalls and AllBytes are of all namespaces; 0 sets no bound. Servers on one Redis see within a second what others
	// have added, so they may exceed these together by what they add in that time.
	AllCalls int
	AllBytes int64
}

// Leaves says whether one of several who share a limit may have more of it: as long as that is not above what is left
// for the others afterwards. So whoever has much is refused long before whoever has little, and nobody can take all.
// One who has nothing may have all that is left. Limit 0 is none.
func Leaves(own, more, all, limit int64) bool {
	left := limit - all - more
	return limit == 0 || more <= 0 || left >= 0 && (own == 0 || own+more <= left)
}

// ForGuests are the limits above which callers without a role add nothing: half of l. The rest is for those with one.
func (l Limits) ForGuests() Limits {
	return Limits{
		Calls: (l.Calls + 1) / 2, Bytes: (l.Bytes + 1) / 2, AllCalls: (l.AllCalls + 1) / 2, AllBytes: (l.AllBytes + 1) / 2,
	}
}

// Placed is what a put has done.
type Placed struct {
	// ID is that of the new call, or of the one that was put with the same idempotency key before.
	ID string
	// Existing says that it was there; Print is its own then.
	Existing bool
	Print    string
}

// Query selects calls of a function, the newest first.
type Query struct {
	Ref function.Ref
	// Status and Reason select those that have them; empty for all.
	Status Status
	Reason string
	// Callback selects those whose callback has that state; empty for all.
	Callback Status
	// Since selects those put at or after it; the zero value selects all.
	Since time.Time
	// After is the Next of the page before; empty for the first one. Limit is how many calls a page has at most.
	After string
	Limit int
}

// Matches says whether q selects c, apart from its function.
func (q *Query) Matches(c *Call) bool {
	return q.Selects(c.Status, c.Reason, c.Created) && (q.Callback == "" || c.Callback == q.Callback)
}

// Page is a part of a list. Next continues it; empty when it is at its end. A page may have fewer calls than fit, and
// even none, before the end: a request looks at MaxScan records.
type Page struct {
	Calls []*Call
	Next  string
}

// MaxScan is how many records one request for a list looks at.
const MaxScan = 1000

// Ordered are IDs from the oldest to the newest, as a tree has them. Both have each called with them from the newest
// on, or from one that need not be there any more, until it returns false.
type Ordered interface {
	Reverse(each func(id string) bool)
	Descend(from string, each func(id string) bool)
}

// Walk has add called with the IDs of a page of a list, from the newest on, until it has an error: it says whether the
// page has that record. Walk returns the Next of the page.
func (q *Query) Walk(ids Ordered, add func(id string) (added bool, err error)) (next string, err error) {
	scanned, has, last := 0, 0, ""
	each := func(id string) bool {
		if id == q.After {
			return true
		}
		if scanned == MaxScan || has == q.Limit {
			next = last
			return false
		}
		scanned++
		last = id
		var added bool
		if added, err = add(id); added {
			has++
		}
		return err == nil
	}
	if q.After == "" {
		ids.Reverse(each)
	} else {
		ids.Descend(q.After, each)
	}
	return next, err
}

// Stats are of all calls.
type Stats struct {
	Queued, Running, Dead int64
	// Calls is how many records there are, settled ones included, and Bytes what they take.
	Calls, Bytes int64
	// Overdue is how long the oldest call that could be taken has waited; 0 when none waits.
	Overdue time.Duration
}

// Overhead is what a record is counted as beside its texts, in bytes: about what Redis needs for it.
const Overhead = 2048

// Check returns ErrIncomplete for a call that cannot be put.
func (s *Spec) Check() error {
	if s.ID == "" || s.Ref.Namespace == "" || s.Ref.ID == "" || s.Attempts < 1 || s.MaxAge <= 0 {
		return ErrIncomplete
	}
	for i, step := range s.Steps {
		if step.Ref.Namespace == "" || step.Ref.ID == "" || step.Attempts < 1 || step.MaxAge <= 0 ||
			i == 0 && step.Ref != s.Ref {
			return ErrIncomplete
		}
	}
	return nil
}

// Check returns ErrIncomplete for a record that no store has written: one whose spec could not be put, or whose numbers
// nobody who runs calls could use.
func (c *Call) Check() error {
	if c.Takes < 0 || c.Used < 0 || c.Step < 0 || c.Step >= max(len(c.Steps), 1) {
		return ErrIncomplete
	}
	return c.Spec.Check()
}

// maxHistory bounds the attempts that a record lists.
const maxHistory = 50

// Append adds an attempt to the history.
func (c *Call) Append(a Attempt) {
	c.History = append(c.History, a)
	if over := len(c.History) - maxHistory; over > 0 {
		c.History = c.History[over:]
	}
}
