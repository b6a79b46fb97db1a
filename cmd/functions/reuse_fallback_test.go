//go:build linux && amd64

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refusal is a system call that the kernel, or the seccomp profile of a container, refuses.
type refusal struct {
	number  uint32
	request uint32 // of ioctl(2); 0 for all
	errno   unix.Errno
	reason  string // part of what the server says
}

// refusals are what hosts lack, by name.
var refusals = map[string]refusal{
	"a container without the profile":      {unix.SYS_USERFAULTFD, 0, unix.EPERM, "in a container the seccomp profile"},
	"a profile that forgets process_vm":    {unix.SYS_PROCESS_VM_WRITEV, 0, unix.EPERM, "process_vm_writev"},
	"Linux before 6.7, by its scan":        {unix.SYS_IOCTL, 0xc0606610, unix.ENOTTY, "Linux 6.7"},
	"Linux before 6.7, by its userfaultfd": {unix.SYS_IOCTL, 0xc018aa3f, unix.EINVAL, "Linux 6.7"},
}

func init() { // before the server is served: see TestMain
	for name := range refusals {
		floors[name] = func() { refusals[name].apply() }
	}
}

// apply has the kernel refuse it to this process from now on, and to all that come of it.
func (r refusal) apply() {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 3, K: r.number},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 24}, // its second argument
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: r.request},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(r.errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if r.request == 0 {
		program[3] = unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA}
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: unsafe.SliceData(program)}
	const allThreads = 1 // SECCOMP_FILTER_FLAG_TSYNC
	err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	if err == nil {
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, allThreads,
			uintptr(unsafe.Pointer(&filter)))
		if errno != 0 {
			err = errno
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "seccomp:", err)
		os.Exit(1)
	}
}

// isolation is what /status/isolation tells of how workers are put back, by runtime.
type isolation map[string]struct {
	Rollback struct {
		Available         bool
		Reason, Mechanism string
	}
}

func (s *server) isolation(t *testing.T) (told isolation) {
	t.Helper()
	status, text := request(t, http.MethodGet, s.url+"/status/isolation", "")
	if err := json.Unmarshal([]byte(text), &told); err != nil || status != http.StatusOK || len(told) == 0 {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	return told
}

// Where a host lacks something that it takes to put workers back, the server names it, and each call that asks for such
// a worker has a process of its own, on every runtime.
func TestWhatIsMissingToPutWorkersBackIsNamed(t *testing.T) {
	for name, missing := range refusals {
		t.Run(name, func(t *testing.T) {
			s := startCommand(t, exec.Command(os.Args[0]), "SERVE="+name, runtimesVariable(t), "REUSE=rollback")
			for _, runtime := range runtimes {
				url := s.url + "/functions/reuse/" + runtime
				put(t, url, usedCode, fmt.Sprintf(`"runtime":%q,"reuse":"rollback"`, runtime))
				findsNothing(t, url, 2)
			}
			for runtime, told := range s.isolation(t) {
				got := told.Rollback
				if got.Available || got.Mechanism != "process for each call" || !strings.Contains(got.Reason, missing.reason) {
					t.Errorf("%s says %+v, want %q", runtime, got, missing.reason)
				}
				if logged := "REUSE=rollback: " + runtime + ": each call gets a process"; !strings.Contains(s.logs.text(), logged) {
					t.Errorf("the log lacks %q", logged)
				}
			}
			_, metrics := request(t, http.MethodGet, s.metrics+"/metrics", "")
			want := fmt.Sprintf("functions_rollback_replaced_total{reason=\"unsupported\"} %d\n", 2*len(runtimes))
			if !strings.Contains(metrics, want) {
				t.Errorf("the metrics lack %s", want)
			}
		})
	}
}
