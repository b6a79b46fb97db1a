package server

import (
	"encoding/binary"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slackOf is the timer slack of a thread in nanoseconds; empty when it has ended.
func slackOf(t *testing.T, thread string) string {
	t.Helper()
	slack, err := os.ReadFile("/proc/" + thread + "/timerslack_ns")
	if err != nil && !ended(err) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(slack))
}

// runs says whether a thread that is in a system call was called by the function of that name, by the addresses that
// are on its stack.
func runs(t *testing.T, thread, name string) bool {
	t.Helper()
	call, err := os.ReadFile("/proc/self/task/" + thread + "/syscall")
	if err != nil && !ended(err) {
		t.Fatal(err)
	}
	fields := strings.Fields(string(call)) // number, six arguments, stack pointer, program counter
	if len(fields) < 9 {
		return false // it runs, or has ended
	}
	pointer, err := strconv.ParseInt(fields[7], 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = memory.Close() }()
	stack := make([]byte, 512)
	if _, err := memory.ReadAt(stack, pointer); err != nil {
		t.Fatal(err)
	}
	for ; len(stack) >= 8; stack = stack[8:] {
		if f := runtime.FuncForPC(uintptr(binary.LittleEndian.Uint64(stack))); f != nil && f.Name() == name {
			return true
		}
	}
	return false
}

func TestTheSecondThreadIsTheMonitor(t *testing.T) {
	all, err := threads()
	if err != nil {
		t.Fatal(err)
	}
	for i, thread := range all {
		if i != 1 && runs(t, thread, "runtime.sysmon") {
			t.Fatalf("the monitor is thread %d of %d", i, len(all))
		}
	}
	for !runs(t, all[1], "runtime.sysmon") { // it is seldom seen running
		runtime.Gosched()
	}
}

func TestTheMonitorAloneIsRelaxed(t *testing.T) {
	all, err := threads()
	if err != nil {
		t.Fatal(err)
	}
	ordinary := slackOf(t, all[0])
	m, err := newMonitor()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := setSlack(all[1], m.ordinary); err != nil {
			t.Error(err)
		}
	}()
	relaxed := strconv.FormatInt(int64(monitorSlack/time.Nanosecond), 10)
	if got := slackOf(t, all[1]); got != relaxed {
		t.Errorf("the monitor's slack is %s, not %s", got, relaxed)
	}
	// A thread that has been seen already, as if it were new and the monitor had started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread := strconv.Itoa(unix.Gettid())
	delete(m.seen, thread)
	const gone = "0" // no thread has that number
	m.seen[gone] = struct{}{}
	if err := setSlack(thread, []byte(relaxed)); err != nil {
		t.Fatal(err)
	}
	if err := m.tidy(); err != nil {
		t.Fatal(err)
	}
	if _, known := m.seen[gone]; known {
		t.Error("a thread that has ended is not forgotten")
	}
	all, err = threads()
	if err != nil {
		t.Fatal(err)
	}
	for i, thread := range all {
		if got := slackOf(t, thread); i != 1 && got != ordinary && got != "" {
			t.Errorf("the slack of thread %d is %s, not %s", i, got, ordinary)
		}
	}
	const beyond = "4194305" // more than the largest ID of a thread
	if err := setSlack(beyond, m.ordinary); !ended(err) {
		t.Errorf("the error of a thread that is not there: %v", err)
	}
}
