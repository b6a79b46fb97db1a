package worker

import "golang.org/x/sys/unix"

// interruptNobody has the forks that a process makes from here on interrupt nobody when they wake (SCHED_BATCH in
// sched(7)): each waits until who runs on its processor sleeps, or has used up a slice of a few milliseconds. Their
// share of the processors stays the same. A worker that is put back wakes twice for each call. If it interrupted the
// server, which is about to release others, or a worker that is about to answer, each call would take more switches of
// processes and interrupts of other processors, and find colder caches. The kernel grants this to everybody for
// processes of their own; where it does not, calls cost more.
func interruptNobody(pid int) {
	attr, err := unix.SchedGetAttr(pid, 0)
	if err != nil {
		return
	}
	attr.Policy = unix.SCHED_BATCH
	_ = unix.SchedSetAttr(pid, attr, 0)
}
