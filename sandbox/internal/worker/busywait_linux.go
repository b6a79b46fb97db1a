package worker

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// awaitAnswer waits for an answer without going to sleep and says whether there is one, or never will be. Between two
// looks it lets others run: of the machine (sched_yield(2)), and of this program, whose every other goroutine may be
// waiting for the same thread. It gives up after BusyWait, and after half of that when the process has not run since
// the call began: then it may be waiting for this very processor.
func (e *exchange) awaitAnswer() (answered bool) {
	conn, err := e.process.stdout.SyscallConn()
	if err != nil {
		return true // the read that follows will tell
	}
	err = conn.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		limit := BusyWait / 2
		for began := time.Now(); ; {
			if n, err := unix.Poll(look, 0); n > 0 || err != nil && err != unix.EINTR {
				answered = true
				return
			}
			if time.Since(began) > limit {
				if limit == BusyWait || e.process.CPUUsed() == e.clock {
					return
				}
				limit = BusyWait
			}
			_, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
			runtime.Gosched()
		}
	})
	return answered || err != nil
}
