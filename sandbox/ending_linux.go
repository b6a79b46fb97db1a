package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// exiting is PF_EXITING of the kernel's sched.h, in field 9 of /proc/PID/stat: proc_pid_stat(5). A process has it before its files are
// closed.
const exiting = 0x4

// ending says whether the process is coming to its end or has done so. One that is busy, or that nobody has reaped, may take a while.
func ending(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true // it is gone
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // from field 3 on
	if len(fields) < 7 {
		return false
	}
	flags, err := strconv.ParseUint(string(fields[6]), 10, 64)
	return err == nil && flags&exiting != 0
}
