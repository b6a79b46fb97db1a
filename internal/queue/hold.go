package queue

import (
	"time"

	"github.com/backstage/functions/internal/function"
)

// Hold is the idempotency key of a call whose caller waits. Nobody takes such a call: the server that got it runs it at
// once. The key is held meanwhile, and then has the answer:
//
//	     hold       answer          For is over
//	free ───► held ───────► answered ───► free
//	 ▲          │ free, lease lost
//	 └──────────┘
//
// It counts as a call of its namespace until it is free, and makes no room before.
type Hold struct {
	Ref function.Ref
	// ID names the call. It is a version 7 UUID. Who has lost its key cannot answer for another call that has it.
	ID string
	// Key is the caller's idempotency key, together with whose it is. Print tells one request from another.
	Key, Print string
	// Lease is how long a server that is gone holds the key, For how long the answer is kept.
	Lease, For time.Duration
}

// Check returns ErrIncomplete for a key that cannot be held.
func (h *Hold) Check() error {
	if h.ID == "" || h.Ref.Namespace == "" || h.Ref.ID == "" || h.Key == "" || h.Lease <= 0 {
		return ErrIncomplete
	}
	return nil
}

// Size is what a key counts as without its answer, in bytes.
func (h *Hold) Size() int {
	return Overhead + len(h.Ref.Namespace) + len(h.Ref.ID) + len(h.Key) + len(h.Print)
}

// HoldOf names a key that is held.
type HoldOf struct {
	Ref function.Ref
	ID  string
}

// Holding is what has become of a key that was to be held.
type Holding struct {
	// Existing says that it is that of a call before, whose Print this is. Else it is held now.
	Existing bool
	Print    string
	// Answered says that the call before has ended. Answer is its answer, in the form of those who run calls; empty where
	// none is kept. A long one is not there: Of is whose it is, and Bytes how long it is, for who reads it.
	Answered bool
	Answer   []byte
	Of       HoldOf
	Bytes    int64
}

// ShortAnswer is the length up to which an answer is read together with what else there is of its call, in bytes.
const ShortAnswer = 64 << 10
