//go:build linux

package jail

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Filter lays program, an array of struct sock_filter, over the calling thread and all that is started by it from then
// on. None of them gains rights by execve(2). The thread must be locked, and end with its goroutine.
func Filter(program []byte) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return setFilter(program)
}

// setFilter installs program, an array of struct sock_filter, for this thread: seccomp(2).
func setFilter(program []byte) error {
	filter := unix.SockFprog{
		Len:    uint16(len(program) / unix.SizeofSockFilter), // a program has at most 4096 instructions
		Filter: (*unix.SockFilter)(unsafe.Pointer(unsafe.SliceData(program))),
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0)
}
