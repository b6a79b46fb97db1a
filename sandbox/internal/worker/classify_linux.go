package worker

import (
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// heapTexts are what V8 writes to stderr when its own heap is full.
var heapTexts = []string{
	"JavaScript heap out of memory", "Fatal process out of memory", "invalid array length Allocation failed",
}

// exitRetired is the exit code of a worker that has answered and cannot serve another call (RETIRED in
// runner-js/frame.js).
const exitRetired = 10

// classify finds the reason of a death; the kernel's evidence takes precedence over our own intent, which is empty when
// we did not kill.
func classify(intent Reason, status syscall.WaitStatus, outOfMemory Reason, stderr string) *Death {
	death := &Death{Reason: intent, ExitCode: status.ExitStatus(), Detail: lastWords(stderr)}
	if status.Signaled() {
		death.Signal = unix.SignalName(status.Signal())
	}
	switch {
	case outOfMemory != "":
		death.Reason = outOfMemory
	case intent != "":
	case slices.ContainsFunc(heapTexts, func(text string) bool { return strings.Contains(stderr, text) }):
		death.Reason = Heap
	case status.Signaled() && status.Signal() == syscall.SIGSYS:
		death.Reason = Syscall
	case status.Signaled():
		death.Reason = Signal
	case status.ExitStatus() == exitRetired:
		death.Reason = Retired
	default:
		death.Reason = Exit
	}
	return death
}
