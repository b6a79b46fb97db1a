//go:build linux && amd64

package rollback

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// PAGEMAP_SCAN of linux/fs.h, since Linux 6.7. golang.org/x/sys has neither the request nor its structures.
const (
	pagemapScan = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)

	scanProtect    = 1 << 0 // PM_SCAN_WP_MATCHING: protect what matches
	scanCheckAsync = 1 << 1 // PM_SCAN_CHECK_WPASYNC: fail where protection is not asynchronous

	isTracked = 1 << 0 // PAGE_IS_WPALLOWED
	isWritten = 1 << 1 // PAGE_IS_WRITTEN
	isOfFile  = 1 << 2 // PAGE_IS_FILE: shared with the file, or with other memory that is no copy of it
	isPresent = 1 << 3 // PAGE_IS_PRESENT
	isSwapped = 1 << 4 // PAGE_IS_SWAPPED: also what was protected while it was not there
	isZeros   = 1 << 5 // PAGE_IS_PFNZERO: the page of zeros that all processes share
)

// region is struct page_region: pages of the same categories.
type region struct{ start, end, _ uint64 }

// scanArg is struct pm_scan_arg.
type scanArg struct {
	size, flags, start, end, walkEnd uint64
	regions                          *region
	regionCount, maxPages            uint64
	inverted, mask, anyOf, returned  uint64
}

// query is what a scan looks for: pages with all categories of mask, where those of inverted count the other way round,
// and one of anyOf, if that is not 0.
type query struct{ flags, mask, inverted, anyOf uint64 }

// scanner is the type of scan.
type scanner func(pagemap int, start, end uint64, q query, into []region) (found int, stopped uint64, err error)

// scan looks for pages between start and end of the process whose /proc/PID/pagemap is given. It returns how many
// regions it has filled, and where it has stopped for want of room.
func scan(pagemap int, start, end uint64, q query, into []region) (found int, stopped uint64, err error) {
	arg := scanArg{
		flags: q.flags, start: start, end: end, regions: unsafe.SliceData(into), regionCount: uint64(len(into)),
		inverted: q.inverted, mask: q.mask, anyOf: q.anyOf, returned: q.mask | q.anyOf,
	}
	arg.size = uint64(unsafe.Sizeof(arg))
	n, err := ioctl(pagemap, pagemapScan, unsafe.Pointer(&arg))
	runtime.KeepAlive(into)
	return n, arg.walkEnd, err
}

// userfaultfd of linux/userfaultfd.h: UFFD_USER_MODE_ONLY since Linux 5.11, WP_UNPOPULATED since 6.4, WP_ASYNC since
// 6.7.
const (
	uffdUserModeOnly = 1

	uffdAPI      = 0xc018aa3f // UFFDIO_API
	uffdRegister = 0xc020aa00 // UFFDIO_REGISTER

	uffdVersion       = 0xaa    // UFFD_API
	uffdUnpopulated   = 1 << 13 // UFFD_FEATURE_WP_UNPOPULATED
	uffdAsync         = 1 << 15 // UFFD_FEATURE_WP_ASYNC
	uffdRegisterWrite = 1 << 1  // UFFDIO_REGISTER_MODE_WP
)

// uffdOpen makes a userfaultfd for this process that handles faults of user mode alone: unprivileged users may have
// one.
func uffdOpen() (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK|uffdUserModeOnly, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// uffdEnable asks for asynchronous write protection, of pages that are not there yet, too.
func uffdEnable(uffd int) error {
	arg := struct{ api, features, ioctls uint64 }{api: uffdVersion, features: uffdAsync | uffdUnpopulated}
	_, err := ioctl(uffd, uffdAPI, unsafe.Pointer(&arg))
	return err
}

// uffdTrack makes a range of mappings one whose pages can be protected.
func uffdTrack(uffd int, start, end uint64) error {
	arg := struct{ start, length, mode, ioctls uint64 }{start: start, length: end - start, mode: uffdRegisterWrite}
	_, err := ioctl(uffd, uffdRegister, unsafe.Pointer(&arg))
	return err
}

// notification is struct seccomp_notif (linux/seccomp.h), since Linux 5.0.
type notification struct {
	id         uint64
	pid, flags uint32
	number     int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

// response is struct seccomp_notif_resp; SECCOMP_USER_NOTIF_FLAG_CONTINUE is known since Linux 5.5.
type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// notifyReceive takes the next notification. It blocks while there is none.
func notifyReceive(listener int, n *notification) error {
	*n = notification{} // the kernel wants zeros
	_, err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(n))
	return err
}

// notifyContinue lets the system call happen.
func notifyContinue(listener int, id uint64) error {
	return notifySend(listener, response{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
}

// notifyReturn makes the system call return value, without it being made.
func notifyReturn(listener int, id uint64, value int64) error {
	return notifySend(listener, response{id: id, value: value})
}

// notifyValid says whether who made the system call still waits for the answer.
func notifyValid(listener int, id uint64) bool {
	_, err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id))
	return err == nil
}

func notifySend(listener int, r response) error {
	_, err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
	return err
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) (int, error) {
	for {
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// listenOnThread lays a filter over this thread that notifies of one system call, and returns the notifier.
func listenOnThread(program []unix.SockFilter) (int, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return -1, err
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: unsafe.SliceData(program)}
	const newListener = 1 << 3 // SECCOMP_FILTER_FLAG_NEW_LISTENER
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, newListener,
		uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
