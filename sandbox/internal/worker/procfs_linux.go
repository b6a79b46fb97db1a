package worker

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// exiting is PF_EXITING of the kernel's sched.h, in field 9 of /proc/PID/stat: proc_pid_stat(5). A process has it
// before its files are closed.
const exiting = 0x4

// ending says whether the process is coming to its end or has done so. One that is busy, or that nobody has reaped, may
// take a while.
func ending(pid int) bool {
	fields, gone := statFields(pid)
	if len(fields) < 7 {
		return gone
	}
	flags, err := strconv.ParseUint(string(fields[6]), 10, 64)
	return err == nil && flags&exiting != 0
}

// asleep says whether the first thread of the process waits for something other than a processor: its state is field 3.
func asleep(pid int) bool {
	fields, _ := statFields(pid)
	return len(fields) > 0 && string(fields[0]) == "S"
}

// statFields are those of /proc/PID/stat from field 3 on. Gone says that there is no such process.
func statFields(pid int) (fields [][]byte, gone bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, true
	}
	return bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]), false
}

// cpuTime is the CPU time that the process has used, by the clock of clock_getcpuclockid(3).
func cpuTime(pid int) time.Duration {
	const schedClock = 2 // CPUCLOCK_SCHED of the kernel's posix-timers_types.h
	var ts unix.Timespec
	if err := unix.ClockGettime(^int32(pid)<<3|schedClock, &ts); err != nil {
		return 0 // it is dead
	}
	return time.Duration(ts.Nano())
}

// processArguments are the arguments of the process, which are in its own memory: proc(5), /proc/PID/cmdline. There are
// none when the file cannot be read.
func processArguments(pid int) []string {
	arguments, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return nil
	}
	return strings.Split(string(arguments), "\x00")
}
