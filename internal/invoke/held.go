package invoke

import (
	"encoding/json"

	"github.com/backstage/functions/internal/outcome"
)

// ErrNoMemory ends a pipeline when Call.Memory has no room for the body of its next step.
var ErrNoMemory = outcome.New(outcome.NoMemory)

// smallBody is how large the body of a step may be without asking for memory, in bytes.
const smallBody = 4 << 10

// Memory is a bound on what may be held for a call. Its methods must be safe for concurrent use.
type Memory interface {
	// Grow says whether so many bytes more may be used.
	Grow(bytes int) bool
	// Shrink gives bytes back.
	Shrink(bytes int)
}

// held is the memory that a pipeline has for the body of its next step.
type held struct {
	memory Memory // nil for no bound
	bytes  int
}

// change gives back what the step that has ended held, and asks for the memory of body.
func (h *held) change(body json.RawMessage) error {
	h.release()
	if h.memory == nil || len(body) <= smallBody {
		return nil
	}
	if !h.memory.Grow(len(body)) {
		return ErrNoMemory
	}
	h.bytes = len(body)
	return nil
}

func (h *held) release() {
	if h.bytes > 0 {
		h.memory.Shrink(h.bytes)
		h.bytes = 0
	}
}
