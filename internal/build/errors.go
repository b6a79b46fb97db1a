package build

import (
	"errors"
	"fmt"
)

var (
	// ErrBusy means that as many builds wait as may: the caller should try again in a moment.
	ErrBusy = errors.New("too many builds are under way; try again in a moment")
	// ErrTooLarge means that the input or the result is larger than a limit. The error around it names the limit.
	ErrTooLarge = errors.New("too large to build")
	// ErrTimeout means that the build took more time than a build may. It is the files' fault in all likelihood.
	ErrTimeout = errors.New("the build took too long")
)

// Error is a fault in the author's files.
type Error struct {
	// Messages are the faults, the first of them first; there is at least one.
	Messages []Message
}

// Error is the first fault, and how many more there are.
func (e *Error) Error() string {
	if len(e.Messages) == 0 {
		return "the files cannot be built"
	}
	text := e.Messages[0].String()
	if more := len(e.Messages) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}
