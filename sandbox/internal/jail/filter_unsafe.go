//go:build linux

package jail

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// setFilter installs program, an array of struct sock_filter, for this thread: seccomp(2).
func setFilter(program []byte) error {
	filter := unix.SockFprog{
		Len:    uint16(len(program) / unix.SizeofSockFilter), // a program has at most 4096 instructions
		Filter: (*unix.SockFilter)(unsafe.Pointer(unsafe.SliceData(program))),
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0)
}
