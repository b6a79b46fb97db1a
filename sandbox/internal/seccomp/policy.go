// Package seccomp says which system calls a worker may make, and the fork server. The policy is data (lists below);
// Compile turns it into a program for the kernel.
package seccomp

import (
	"slices"
	"syscall"
)

// Rule allows one system call when the conditions on its arguments hold.
type Rule struct {
	Name string
	// Args are alternatives: one of them must hold as a whole. None means that the call is always allowed.
	Args [][]Arg
}

// Arg is a condition on the argument with the number Index, counted from 0.
type Arg struct {
	Index uint32
	// Mask selects bits; zero selects all of them. The selected bits must equal Value.
	Mask, Value uint64
	// Min and Max, where Max is not zero, are the least and the greatest value instead.
	Min, Max uint64
}

// Policy is a list of what is allowed and how the rest is refused: with EPERM, except for Unknown, Refused and Deadly.
type Policy struct {
	Allowed []Rule
	// Others says that what no list has is allowed, too.
	Others bool
	// Unknown are refused as if the kernel did not know them (ENOSYS), because libc and libuv then do without.
	Unknown []string
	// Refused are refused as what cannot be done here (EINVAL), because libuv then does it in another way.
	Refused []string
	// Deadly end the process: no honest program makes them.
	Deadly []string
}

// Flags of clone(2).
const (
	cloneThread        = 0x00010000
	cloneNewNamespaces = 0x7e020080 // CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET
)

// socketType are the bits of the type in the second argument of socket(2); the others are flags.
const socketType = 0xf

// plain are the calls that Node.js 8 to 24 make when they start, compile, collect garbage, run timers, hash, compress,
// and end.
var plain = []string{
	"read", "write", "readv", "writev", "pread64", "pwrite64", "close", "fstat", "newfstatat", "statx", "lseek",
	"faccessat", "faccessat2", "readlinkat", "openat", "getdents64", "getcwd", "dup", "dup3", "pipe2", "eventfd2",
	"mmap", "mprotect", "munmap", "mremap", "madvise", "brk",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
	"futex", "set_robust_list", "set_tid_address", "rseq", "sched_yield", "sched_getaffinity",
	"gettid", "getpid", "getppid",
	"getuid", "geteuid", "getgid", "getegid", "exit", "exit_group", "restart_syscall", "clock_gettime", "clock_getres",
	"clock_nanosleep", "nanosleep", "gettimeofday", "epoll_create1", "epoll_ctl", "epoll_pwait", "ppoll", "getrandom",
	"uname", "sysinfo", "getrusage", "connect", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt",
	"sendmsg", "recvmsg", "recvfrom", "sendto", "umask",
}

// files are the calls that make, change and remove files. A worker has but one directory that can be written to:
// /tmp, its own. There are no links, no devices, no owners, no attributes and no locks.
var files = []string{
	"mkdirat", "unlinkat", "renameat", "renameat2", "ftruncate", "fsync", "fdatasync", "utimensat", "fchmod", "fchmodat",
}

// rings are the calls of io_uring(7): memory that a process shares with the kernel, and through which it asks for what
// no filter sees.
var rings = []string{"io_uring_setup", "io_uring_enter", "io_uring_register"}

// WithoutRings is the policy that allows all but io_uring. A worker can be put back only without it.
func WithoutRings() Policy { return Policy{Others: true, Unknown: rings} }

// Worker is the policy for a process that runs functions.
func Worker() Policy {
	p := Policy{
		Refused: []string{"sendfile"}, // of old it was a way to write into files that may only be read (CVE-2022-0847)
		Unknown: []string{
			"clone3", "pkey_alloc", "pkey_free", "pkey_mprotect", "copy_file_range",
		},
		Deadly: []string{
			"ptrace", "process_vm_readv", "process_vm_writev", "bpf", "perf_event_open", "userfaultfd",
			"kexec_load", "init_module", "finit_module", "delete_module",
			"mount", "umount2", "pivot_root", "setns", "unshare", "add_key", "keyctl", "request_key",
			"open_by_handle_at", "execve", "execveat",
		},
	}
	p.Unknown = append(p.Unknown, rings...)
	for _, name := range slices.Concat(plain, files, plainHere, filesHere) {
		p.Allowed = append(p.Allowed, Rule{Name: name})
	}
	p.Allowed = append(p.Allowed,
		// Threads of its own, in no new namespace.
		Rule{Name: "clone", Args: [][]Arg{{{Index: 0, Mask: cloneThread | cloneNewNamespaces, Value: cloneThread}}}},
		// The socket of the egress proxy lies in the root; no other family can be opened, and nobody can be listened for. A
		// datagram socket would need no listener: the kernel itself gives it an address when it asks for credentials
		// (unix(7), "Autobind feature").
		Rule{Name: "socket", Args: [][]Arg{{
			{Index: 0, Value: syscall.AF_UNIX},
			{Index: 1, Mask: socketType, Value: syscall.SOCK_STREAM},
		}}},
		// No locks, which others could see on files that all can read, and no signals, which F_SETOWN could send to others.
		// F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
		Rule{Name: "fcntl", Args: oneOf(1, 0, 1, 2, 3, 4, 1030)},
		Rule{Name: "ioctl", Args: oneOf(1, 0x5451, 0x5450, 0x5421, 0x541b)}, // FIOCLEX, FIONCLEX, FIONBIO, FIONREAD
		Rule{Name: "prctl", Args: oneOf(0, 15, 16, 0x53564d41)},             // PR_SET_NAME, PR_GET_NAME, PR_SET_VMA
		Rule{Name: "prlimit64", Args: [][]Arg{{{Index: 0}, {Index: 2}}}},    // one's own limits, and only to read them
	)
	return p
}

// oneOf holds when the argument is one of values.
func oneOf(index uint32, values ...uint64) [][]Arg {
	var alternatives [][]Arg
	for _, value := range values {
		alternatives = append(alternatives, []Arg{{Index: index, Value: value}})
	}
	return alternatives
}
