package seccomp

import (
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
)

// here is this machine's table of system calls.
func here(t *testing.T) *arch.Info {
	t.Helper()
	info, err := arch.GetInfo("")
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestEveryCallOfTheKernelGetsItsAnswer(t *testing.T) {
	policy, info := Worker(), here(t)
	want := map[string]uint32{}
	for _, rule := range policy.Allowed {
		if len(rule.Args) == 0 {
			want[rule.Name] = allow
		} else {
			want[rule.Name] = eperm // for the arguments that no rule allows
		}
	}
	for _, name := range policy.Unknown {
		want[name] = enosys
	}
	for _, name := range policy.Deadly {
		want[name] = killAll
	}
	const nothing = 0xdeadbeefdeadbeef
	for name, number := range info.SyscallNames {
		expected, listed := want[name]
		if !listed {
			expected = eperm
		}
		if got := answer(t, policy, uint32(info.ID), uint32(number), nothing, nothing, nothing); got != expected {
			t.Errorf("%s is answered %#x, want %#x", name, got, expected)
		}
	}
}

func TestNumbersThatNoCallHasAreRefused(t *testing.T) {
	for _, number := range []uint32{999, 4096, 0x3fffffff} {
		if got := answer(t, Worker(), uint32(here(t).ID), number); got != eperm {
			t.Errorf("%d is answered %#x", number, got)
		}
	}
}

func TestForeignArchitecturesEndTheProcess(t *testing.T) {
	for _, foreign := range []uint32{archI386, archX8664, archARM64, 0, 0xffffffff} {
		if foreign == uint32(here(t).ID) {
			continue
		}
		for _, number := range []uint32{0, 1, 3, 60} {
			if got := answer(t, Worker(), foreign, number); got != killAll {
				t.Errorf("call %d of architecture %#x is answered %#x", number, foreign, got)
			}
		}
	}
}

func TestX32EndsTheProcess(t *testing.T) {
	for _, number := range []uint32{0, 1, 41, 59, 520} {
		if got := answer(t, Worker(), uint32(here(t).ID), x32|number); got != killAll {
			t.Errorf("x32 call %d is answered %#x", number, got)
		}
	}
}

func TestArgumentsDecide(t *testing.T) {
	const threadFlags = 0x3d0f00 // of pthread_create(3)
	info := here(t)
	for name, rows := range map[string]map[uint32][][]uint64{
		"clone":     {allow: {{threadFlags}}, eperm: {{17}, {threadFlags | 0x10000000}, {threadFlags | 0x00020000}, {threadFlags | 0x80}, {0}}},
		"socket":    {allow: {{1, 1}, {1, 1 | 0x80800}}, eperm: {{1, 2}, {1, 5}, {1, 3}, {2, 1}, {10, 1}, {16, 3}, {40, 1}, {1 << 32, 1}, {1<<32 | 1, 1}}},
		"fcntl":     {allow: {{0, 1}, {0, 3}, {0, 4}, {0, 1030}}, eperm: {{0, 5}, {0, 6}, {0, 7}, {0, 8}, {0, 10}, {0, 36}, {0, 1024}, {0, 1026}, {0, 1031}, {0, 1033}}},
		"ioctl":     {allow: {{0, 0x5421}, {0, 0x541b}, {0, 0x5450}, {0, 0x5451}}, eperm: {{0, 0x5412}, {0, 0x8901}, {0, 0x5452}, {0, 0x40045201}}},
		"prctl":     {allow: {{15}, {16}, {0x53564d41}}, eperm: {{4, 1}, {22}, {24}, {35}, {47}, {0x59616d61}, {28}}},
		"prlimit64": {allow: {{0, 7, 0, 1}}, eperm: {{1, 7, 0, 1}, {0, 7, 1}, {1 << 32, 7, 0}, {0, 7, 1 << 32}}},
	} {
		for want, calls := range rows {
			for _, args := range calls {
				if got := answer(t, Worker(), uint32(info.ID), uint32(info.SyscallNames[name]), args...); got != want {
					t.Errorf("%s%#x is answered %#x, want %#x", name, args, got, want)
				}
			}
		}
	}
}

func TestNothingIsListedTwice(t *testing.T) {
	policy := Worker()
	seen := map[string]bool{}
	for _, name := range append(append([]string{}, policy.Unknown...), policy.Deadly...) {
		if seen[name] {
			t.Errorf("%s is listed twice", name)
		}
		seen[name] = true
	}
	for _, rule := range policy.Allowed {
		if seen[rule.Name] {
			t.Errorf("%s is listed twice", rule.Name)
		}
		seen[rule.Name] = true
	}
}

func TestNothingThatEndsIsolationIsAllowed(t *testing.T) {
	forbidden := []string{
		"execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "kill", "tkill", "tgkill", "pidfd_send_signal",
		"pidfd_open", "pidfd_getfd", "mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "bpf", "perf_event_open", "keyctl", "add_key",
		"request_key", "io_uring_setup", "userfaultfd", "memfd_create", "memfd_secret", "bind", "listen", "accept", "accept4", "socketpair", "setuid",
		"setresuid", "setgroups", "capset", "open_tree", "move_mount", "fsopen", "fanotify_init", "inotify_init1", "init_module", "kexec_load", "reboot",
		"swapon", "syslog", "acct", "quotactl", "name_to_handle_at", "open_by_handle_at", "shmget", "shmat", "msgget", "semget", "mq_open", "flock",
		"personality", "modify_ldt", "iopl", "ioperm", "sched_setaffinity", "setpriority", "process_madvise", "landlock_create_ruleset", "seccomp",
		"link", "symlink", "mknod", "chmod", "chown", "rename", "unlink", "mkdir", "truncate", "utimensat", "setxattr", "chdir",
	}
	for _, rule := range Worker().Allowed {
		for _, name := range forbidden {
			if rule.Name == name {
				t.Errorf("%s is allowed", name)
			}
		}
	}
}
