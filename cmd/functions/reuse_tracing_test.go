//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// withoutTracing is the server started by SERVE without the capability to trace processes.
const withoutTracing = "without SYS_PTRACE"

func init() {
	floors[withoutTracing] = func() {
		if os.Getenv("DROPPED") != "" {
			return
		}
		runtime.LockOSThread() // what is dropped is so for this thread and what it executes
		err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_PTRACE, 0, 0, 0)
		if err == nil {
			err = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), "DROPPED=1"))
		}
		fmt.Fprintln(os.Stderr, "drop SYS_PTRACE:", err)
		os.Exit(1)
	}
}

// A server that may not read memory of its workers says so, and has a process for each call. With ISOLATION=strict it
// owns the user namespace of its workers, and may.
func TestWithoutTracingWorkersArePutBackInTheirNamespaceAlone(t *testing.T) {
	for isolation, want := range map[string]bool{"none": false, "process": false, "strict": true} {
		t.Run(isolation, func(t *testing.T) {
			s := startCommand(t, exec.Command(os.Args[0]), "SERVE="+withoutTracing, runtimesVariable(t),
				"ISOLATION="+isolation)
			for _, name := range runtimes {
				url := s.url + "/functions/reuse/" + name
				put(t, url, usedCode, fmt.Sprintf(`"runtime":%q,"reuse":"rollback"`, name))
				s.untilPutBack(t, "/functions/reuse/"+name, `{}`)
				findsNothing(t, url, 2)
			}
			for name, told := range s.isolation(t) {
				got := told.Rollback
				named := strings.Contains(got.Reason, "SYS_PTRACE")
				if got.Available != want || named == want || (got.Mechanism == "rollback") != want {
					t.Errorf("%s says %+v", name, got)
				}
			}
		})
	}
}
