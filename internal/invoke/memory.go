package invoke

import (
	"github.com/backstage/functions/internal/outcome"
)

// ErrNoMemory ends a pipeline when Call.Memory has no room for the body of its next step.
var ErrNoMemory = outcome.New(outcome.NoMemory)

// smallBody is how large the body of a step may be without asking for memory, in bytes.
const smallBody = 4 << 10

// Memory bounds the memory of one call. Its methods must be safe for concurrent use.
type Memory interface {
	// Grow says whether so many bytes more may be used.
	Grow(bytes int) bool
	// Shrink gives bytes back.
	Shrink(bytes int)
}

// bodyMemory is the memory that a pipeline has for the body of its next step.
type bodyMemory struct {
	memory Memory // nil for no bound
	bytes  int
}

// change gives back the memory of the step that has ended, and asks for that of a body of so many bytes.
func (m *bodyMemory) change(bytes int) error {
	m.release()
	return m.grow(bytes)
}

// grow asks for memory for so many bytes in all.
func (m *bodyMemory) grow(bytes int) error {
	if m.memory == nil || bytes <= max(m.bytes, smallBody) {
		return nil
	}
	if !m.memory.Grow(bytes - m.bytes) {
		return ErrNoMemory
	}
	m.bytes = bytes
	return nil
}

func (m *bodyMemory) release() {
	if m.bytes > 0 {
		m.memory.Shrink(m.bytes)
		m.bytes = 0
	}
}
