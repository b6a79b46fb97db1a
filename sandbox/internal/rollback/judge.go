//go:build linux && amd64

package rollback

import (
	"slices"

	"golang.org/x/sys/unix"
)

// taint is what the system calls of a call may have left behind.
type taint uint8

const (
	taintLayout  taint = 1 << iota // mappings
	taintBreak                     // the end of the heap
	taintFiles                     // descriptors
	taintEvents                    // counts of event descriptors
	taintControl                   // where the process goes on by itself, at any instruction
	taintOther                     // what cannot be put back
)

// judged is what system calls are judged by: the mappings and descriptors of the snapshot. Before there is a snapshot
// it is empty.
type judged struct {
	mappings []mapping
	files    []file
}

// touchesFixed says whether a range meets what no call may change: the kernel's own mappings, shared ones, code and
// constants.
func (j *judged) touchesFixed(start, length uint64) bool {
	end := start + length
	if end < start {
		return true
	}
	return slices.ContainsFunc(j.mappings, func(m mapping) bool {
		constant := !m.writable() && m.inode != 0
		return (m.fixed || constant) && start < m.end && end > m.start
	})
}

// touches says whether a range meets a mapping of the snapshot.
func (j *judged) touches(start, length uint64) bool {
	return slices.ContainsFunc(j.mappings, func(m mapping) bool { return start < m.end && start+length > m.start })
}

// mayLose says whether a range meets memory of the snapshot that has contents.
func (j *judged) mayLose(start, length uint64) bool {
	return slices.ContainsFunc(j.mappings, func(m mapping) bool {
		return m.prot != 0 && start < m.end && start+length > m.start
	})
}

// judge says what a system call may leave behind. It looks at arguments alone that are passed by value.
func (j *judged) judge(number int32, args *[6]uint64) taint {
	switch number {
	case unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE:
		return j.judgeMapping(number, args)
	case unix.SYS_GETEGID: // not of the stub, which is told by its place
		return 0
	case unix.SYS_BRK:
		return taintLayout | taintBreak
	case unix.SYS_OPEN:
		return opens(args[1])
	case unix.SYS_OPENAT:
		return opens(args[2])
	case unix.SYS_READ, unix.SYS_READV:
		return j.reads(args[0])
	case unix.SYS_WRITE, unix.SYS_WRITEV:
		return j.writes(args[0])
	case unix.SYS_DUP2, unix.SYS_DUP3:
		return taintFiles | j.replaces(args[1]) | j.hides(args[0])
	case unix.SYS_DUP:
		return taintFiles | j.hides(args[0])
	case unix.SYS_FCNTL, unix.SYS_IOCTL:
		return taintFiles | j.hides(args[0]) | commands(number, args[1])
	case unix.SYS_CLOSE:
		return taintFiles | j.replaces(args[0])
	case unix.SYS_CONNECT, unix.SYS_SETSOCKOPT, unix.SYS_SHUTDOWN,
		unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_RECVFROM, unix.SYS_SENDTO:
		return taintFiles | j.hides(args[0])
	case unix.SYS_SOCKET, unix.SYS_PIPE2, unix.SYS_EVENTFD2, unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL,
		unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_LSEEK, unix.SYS_PREAD64, unix.SYS_GETDENTS64:
		return taintFiles
	case unix.SYS_RT_SIGACTION, unix.SYS_RSEQ:
		return taintControl | taintOther
	default:
		return taintOther
	}
}

func (j *judged) judgeMapping(number int32, args *[6]uint64) taint {
	t := taintLayout
	if j.touchesFixed(args[0], args[1]) && (number != unix.SYS_MMAP || args[3]&unix.MAP_FIXED != 0) {
		t |= taintOther
	}
	switch number {
	case unix.SYS_MMAP, unix.SYS_MPROTECT:
		// The kernel takes a protection key for code that cannot be read, and keeps it.
		if args[2]&(unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC) == unix.PROT_EXEC {
			t |= taintOther
		}
	case unix.SYS_MADVISE:
		harmless := []uint64{unix.MADV_DONTNEED, unix.MADV_FREE, unix.MADV_DONTFORK, unix.MADV_DOFORK, unix.MADV_WILLNEED}
		if !slices.Contains(harmless, args[2]) {
			t |= taintOther
		}
		// The kernel may drop such pages whenever it likes, in a later call, too.
		if args[2] == unix.MADV_FREE && j.mayLose(args[0], args[1]) {
			t |= taintOther
		}
		// A mark is to be seen by what the kernel joins.
		if (args[2] == unix.MADV_DONTFORK || args[2] == unix.MADV_DOFORK) && j.touches(args[0], args[1]) {
			t |= taintOther
		}
	}
	return t
}

// opens is the taint of a file that is opened: for reading alone it leaves a descriptor.
func opens(flags uint64) taint {
	if flags&(unix.O_ACCMODE|unix.O_CREAT|unix.O_TRUNC|unix.O_APPEND|unix.O_TMPFILE&^unix.O_DIRECTORY) != 0 {
		return taintFiles | taintOther
	}
	return taintFiles
}

// find is the descriptor of the snapshot with a number, of which the kernel takes 32 bits; nil when there is none.
func (j *judged) find(number uint64) *file {
	i := slices.IndexFunc(j.files, func(f file) bool { return f.number == int(uint32(number)) })
	if i < 0 {
		return nil
	}
	return &j.files[i]
}

// replaces is the taint of a call that takes a descriptor of the snapshot away.
func (j *judged) replaces(number uint64) taint {
	if j.find(number) != nil {
		return taintOther
	}
	return 0
}

// commands is the taint of what fcntl(2) and ioctl(2) do: to copies and flags, which are seen to, or by which nothing
// changes. Others change what is not to be seen, such as the size of a pipe.
func commands(number int32, command uint64) taint {
	known := []uint64{unix.F_DUPFD, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD_CLOEXEC}
	if number == unix.SYS_IOCTL {
		known = []uint64{unix.TCGETS, unix.TIOCINQ, fionbio, fionclex, fioclex}
	}
	if !slices.Contains(known, command) {
		return taintOther
	}
	return 0
}

// Commands of ioctl(2) in asm-generic/ioctls.h that golang.org/x/sys does not have.
const (
	fionbio  = 0x5421
	fionclex = 0x5450
	fioclex  = 0x5451
)

// hides is the taint of another descriptor that leads to where one of the snapshot does, and of a change to what that
// one leads to, where not all is to be seen.
func (j *judged) hides(number uint64) taint {
	if f := j.find(number); f != nil && f.hidden {
		return taintOther
	}
	return 0
}

// reads is the taint of reading from a descriptor. One that is not of the snapshot is closed in any case.
func (j *judged) reads(number uint64) taint {
	switch f := j.find(number); {
	case f == nil, f.event && f.count == 0: // it becomes 0, as it was
		return 0
	case f.event:
		return taintEvents
	case f.hidden:
		return taintOther
	default:
		return taintFiles
	}
}

// writes is the taint of writing to a descriptor.
func (j *judged) writes(number uint64) taint {
	switch f := j.find(number); {
	case f == nil:
		return taintFiles
	case f.event:
		return taintEvents
	case f.hidden: // how much it holds is not to be seen in /proc
		return taintOther
	default:
		return taintFiles
	}
}
