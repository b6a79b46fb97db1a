package container

import (
	"fmt"
	"os"
)

// childName is the name under which this binary is started to mount the cgroups.
const childName = "functions-container"

// exitFailed is the exit code when the server could not be started.
const exitFailed = 1

// Main returns in the server. If the server needs a first process above it, this process becomes that and ends with the
// server's exit code. If needsGroups says that the server needs its own view of the cgroups, it gets one. Main must be
// called before anything else starts, on the main goroutine. Report tells why the server could not be started.
func Main(needsGroups func() bool, report func(error)) {
	fail := func(err error) {
		report(fmt.Errorf("container: %w", err))
		os.Exit(exitFailed)
	}
	if os.Args[0] == childName {
		fail(becomeServer(mountInfo))
	}
	var groups []mount
	if found, err := readOnlyGroups(mountInfo); err != nil {
		fail(err)
	} else if len(found) > 0 && needsGroups() {
		groups = found
	}
	if os.Getpid() != 1 && groups == nil {
		return
	}
	code, err := supervise(len(groups) > 0)
	if err != nil {
		fail(err)
	}
	os.Exit(code)
}
