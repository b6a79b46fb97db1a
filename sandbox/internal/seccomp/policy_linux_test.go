package seccomp

import (
	"slices"
	"strings"
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

// policies are all that there are.
var policies = map[string]Policy{
	"worker": Worker(), "program": Program(), "zygote": Zygote(Users{1000, 65535}),
	"starting zygote":                        Starting(Zygote(Users{1000, 65535})),
	"zygote of workers that are rolled back": Rollback(Zygote(Users{1000, 65535})),
	"starting zygote of such workers":        Starting(Rollback(Zygote(Users{1000, 65535}))),
	"zygote that gives a tmp":                Tmp(Zygote(Users{1000, 65535})),
}

func TestEveryCallOfTheKernelGetsItsAnswer(t *testing.T) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) { everyCallGetsItsAnswer(t, policy) })
	}
}

func everyCallGetsItsAnswer(t *testing.T, policy Policy) {
	t.Helper()
	info := here(t)
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
	for _, name := range policy.Refused {
		want[name] = einval
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

func TestWithoutRingsAllElseIsAllowed(t *testing.T) {
	info := here(t)
	refused := 0
	for name, number := range info.SyscallNames {
		want := uint32(allow)
		if strings.HasPrefix(name, "io_uring_") {
			want = enosys
			refused++
		}
		if got := answer(t, WithoutRings(), uint32(info.ID), uint32(number)); got != want {
			t.Errorf("%s is answered %#x, want %#x", name, got, want)
		}
	}
	if refused != 3 {
		t.Errorf("%d calls of io_uring are refused, want 3", refused)
	}
}

func TestNumbersThatNoCallHasAreRefused(t *testing.T) {
	for name, policy := range policies {
		for _, number := range []uint32{999, 4096, 0x3fffffff} {
			if got := answer(t, policy, uint32(here(t).ID), number); got != eperm {
				t.Errorf("%s: %d is answered %#x", name, number, got)
			}
		}
	}
}

func TestForeignArchitecturesEndTheProcess(t *testing.T) {
	for name, policy := range policies {
		for _, foreign := range []uint32{archI386, archX8664, archARM64, 0, 0xffffffff} {
			if foreign == uint32(here(t).ID) {
				continue
			}
			for _, number := range []uint32{0, 1, 3, 60} {
				if got := answer(t, policy, foreign, number); got != killAll {
					t.Errorf("%s: call %d of architecture %#x is answered %#x", name, number, foreign, got)
				}
			}
		}
	}
}

func TestX32EndsTheProcess(t *testing.T) {
	for name, policy := range policies {
		for _, number := range []uint32{0, 1, 41, 59, 520} {
			if got := answer(t, policy, uint32(here(t).ID), x32|number); got != killAll {
				t.Errorf("%s: x32 call %d is answered %#x", name, number, got)
			}
		}
	}
}

// calls are system calls by name, and by the answer that they get with each of some arguments.
type calls map[string]map[uint32][][]uint64

func (c calls) check(t *testing.T, policy Policy) {
	t.Helper()
	info := here(t)
	for name, rows := range c {
		for want, calls := range rows {
			for _, args := range calls {
				if got := answer(t, policy, uint32(info.ID), uint32(info.SyscallNames[name]), args...); got != want {
					t.Errorf("%s%#x is answered %#x, want %#x", name, args, got, want)
				}
			}
		}
	}
}

const threadFlags = 0x3d0f00 // of pthread_create(3)

func TestArgumentsDecide(t *testing.T) {
	calls{
		"clone": {
			allow: {{threadFlags}},
			eperm: {{17}, {threadFlags | 0x10000000}, {threadFlags | 0x00020000}, {threadFlags | 0x80}, {0}},
		},
		"socket": {
			allow: {{1, 1}, {1, 1 | 0x80800}},
			eperm: {{1, 2}, {1, 5}, {1, 3}, {2, 1}, {10, 1}, {16, 3}, {40, 1}, {1 << 32, 1}, {1<<32 | 1, 1}},
		},
		"fcntl": {
			allow: {{0, 1}, {0, 3}, {0, 4}, {0, 1030}},
			eperm: {{0, 5}, {0, 6}, {0, 7}, {0, 8}, {0, 10}, {0, 36}, {0, 1024}, {0, 1026}, {0, 1031}, {0, 1033}},
		},
		"ioctl": {
			allow: {{0, 0x5421}, {0, 0x541b}, {0, 0x5450}, {0, 0x5451}},
			eperm: {{0, 0x5412}, {0, 0x8901}, {0, 0x5452}, {0, 0x40045201}},
		},
		"prctl":     {allow: {{15}, {16}, {0x53564d41}}, eperm: {{4, 1}, {22}, {24}, {35}, {47}, {0x59616d61}, {28}}},
		"prlimit64": {allow: {{0, 7, 0, 1}}, eperm: {{1, 7, 0, 1}, {0, 7, 1}, {1 << 32, 7, 0}, {0, 7, 1 << 32}}},
	}.check(t, Worker())
}

// What a fork server may do beyond a worker is what zygote.c does, to the argument.
func TestArgumentsDecideForTheForkServer(t *testing.T) {
	calls{
		"clone": {
			allow: {{threadFlags}, {0x1200011}},
			eperm: {
				{17},
				{0},
				{0x11 | 0x10000000},
				{0x1200011 | 0x10000000},
				{0x1200011 | 0x8000},
				{0x1200011 | 0x100},
				{0x1200009},
				{1<<32 | 0x1200011},
			},
		},
		"setresuid": {
			allow: {{1000, 1000, 1000}, {65535, 65535, 65535}},
			eperm: {
				{0, 0, 0},
				{1, 1, 1},
				{999, 999, 999},
				{1000, 1000, 0},
				{0, 1000, 1000},
				{1000, 0, 1000},
				{65536, 65536, 65536},
				{0xffffffff, 1000, 1000},
				{1<<32 | 1000, 1000, 1000},
			},
		},
		"setresgid": {allow: {{1000, 1000, 1000}}, eperm: {{0, 0, 0}, {1000, 1000, 0}, {65536, 1000, 1000}}},
		"prctl": {
			allow: {{15}, {4, 0}, {1, 9}, {38, 1}, {22, 2}},
			eperm: {{4, 1}, {1, 15}, {22, 1}, {38, 0}, {24, 0}, {28, 0}, {47, 2}, {8, 1}, {0x59616d61}},
		},
		"prlimit64":   {allow: {{0, 7, 0, 1}, {0, 6, 1, 0}}, eperm: {{1, 7, 0, 1}, {0, 7, 1}, {1, 6, 1}, {0, 4, 1}}},
		"pidfd_open":  {allow: {{2, 0}}, eperm: {{2, 0x80}, {2, 0x800}}},
		"close_range": {allow: {{3, 0xffffffff, 0}}, eperm: {{3, 0xffffffff, 2}, {3, 0xffffffff, 4}}},
		"socket":      {allow: {{1, 1}}, eperm: {{1, 2}, {2, 1}, {16, 3}}},
		"seccomp":     {eperm: {{1, 1}, {1, 8}, {0, 0}}},
		"execve":      {killAll: {{1, 1, 1}}},
	}.check(t, Zygote(Users{1000, 65535}))
	calls{
		"userfaultfd": {allow: {{0x80801}}, eperm: {{0}, {0x80800}, {1}, {0x80801 | 1<<32}}},
		"seccomp":     {allow: {{1, 8}}, eperm: {{1, 1}, {1, 0}, {1, 9}, {0, 8}, {3, 8}}},
		"prlimit64":   {allow: {{0, 3, 1}, {0, 6, 1}, {0, 7, 0, 1}}, eperm: {{1, 3, 1}, {0, 7, 1}, {0, 4, 1}}},
	}.check(t, Rollback(Zygote(Users{1000, 65535})))
	calls{"seccomp": {allow: {{1, 8}, {1, 1}}, eperm: {{1, 9}, {1, 0}}}}.check(t, Starting(Rollback(Zygote(Users{}))))
	calls{
		"setresuid": {eperm: {{1000, 1000, 1000}, {0, 0, 0}}}, "setresgid": {eperm: {{1000, 1000, 1000}}},
	}.check(t, Zygote(Users{}))
	calls{
		"seccomp": {allow: {{1, 1}}, eperm: {{0, 0}, {1, 0}, {1, 9}, {2, 0}}},
		"execve":  {allow: {{1, 1, 1}}}, "execveat": {killAll: {{0}}},
	}.check(t, Starting(Zygote(Users{})))
}

// A fork server that gives workers a /tmp makes new mounts in new mount namespaces and does nothing else to mounts or
// namespaces: it cannot move, bind or change what is mounted.
func TestArgumentsDecideForTheForkServerThatGivesATmp(t *testing.T) {
	const newMounts, newUser, newNet, newPID = 0x20000, 0x10000000, 0x40000000, 0x20000000
	const bind, remount, move, private = 0x1000, 0x20, 0x2000, 0x40000
	calls{
		"unshare": {allow: {{newMounts}}, eperm: {
			{0}, {newUser}, {newNet}, {newPID}, {newMounts | newUser}, {1<<32 | newMounts},
		}},
		"mount": {allow: {{1, 1, 1, tmpFlags, 1}}, eperm: {
			{1, 1, 1, 0},
			{1, 1, 1, tmpFlags | bind},
			{1, 1, 1, tmpFlags | remount},
			{1, 1, 1, tmpFlags | move},
			{1, 1, 1, tmpFlags | private},
			{1, 1, 1, bind},
			{1, 1, 1, tmpFlags &^ 2},
			{1, 1, 1, tmpFlags &^ 4},
			{1, 1, 1, tmpFlags &^ 8},
			{1, 1, 1, 1<<32 | tmpFlags},
		}},
		"umount2": {killAll: {{1, 0}}},
		"setns":   {killAll: {{1, 0}}},
	}.check(t, Tmp(Zygote(Users{1000, 65535})))
	for _, policy := range []Policy{Zygote(Users{1000, 65535}), Worker()} {
		calls{"unshare": {killAll: {{newMounts}}}, "mount": {killAll: {{1, 1, 1, tmpFlags}}}}.check(t, policy)
	}
}

// An argument is no number of a call, whatever it is.
func TestNoArgumentIsTakenForACall(t *testing.T) {
	info := here(t)
	for name, policy := range policies {
		for _, rule := range policy.Allowed {
			if len(rule.Args) == 0 {
				continue
			}
			number := uint32(info.SyscallNames[rule.Name])
			for _, refused := range slices.Concat(policy.Unknown, policy.Refused, policy.Deadly) {
				value := uint64(info.SyscallNames[refused])
				if got := answer(t, policy, uint32(info.ID), number, value, value, value); got != allow && got != eperm {
					t.Fatalf("%s: %s with arguments of %d is answered %#x", name, rule.Name, value, got)
				}
			}
		}
	}
}

func TestNothingIsListedTwice(t *testing.T) {
	for of, policy := range policies {
		seen := map[string]bool{}
		for _, name := range slices.Concat(policy.Unknown, policy.Refused, policy.Deadly) {
			if seen[name] {
				t.Errorf("%s: %s is listed twice", of, name)
			}
			seen[name] = true
		}
		for _, rule := range policy.Allowed {
			if seen[rule.Name] {
				t.Errorf("%s: %s is listed twice", of, rule.Name)
			}
			seen[rule.Name] = true
		}
	}
}

func TestNothingThatEndsIsolationIsAllowed(t *testing.T) {
	forbidden := []string{
		"execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "kill", "tkill",
		"tgkill", "pidfd_send_signal", "pidfd_open", "pidfd_getfd", "mount", "umount2", "pivot_root", "chroot",
		"setns", "unshare", "bpf", "perf_event_open", "keyctl", "add_key", "request_key", "io_uring_setup",
		"userfaultfd", "memfd_create", "memfd_secret", "bind", "listen", "accept", "accept4", "socketpair", "setuid",
		"setresuid", "setresgid", "setgroups", "capset", "open_tree", "move_mount", "fsopen", "fanotify_init",
		"inotify_init1", "init_module", "kexec_load", "reboot", "swapon", "syslog", "acct", "quotactl",
		"name_to_handle_at", "open_by_handle_at", "shmget", "shmat", "msgget", "semget", "mq_open", "flock",
		"personality", "modify_ldt", "iopl", "ioperm", "sched_setaffinity", "setpriority", "process_madvise",
		"landlock_create_ruleset", "seccomp", "link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "chown",
		"fchown", "fchownat", "lchown", "truncate", "setxattr", "fsetxattr", "chdir", "fallocate", "copy_file_range",
		"sendfile", "splice",
	}
	// What a policy may allow of that nonetheless.
	zygote := []string{"setresuid", "setresgid", "capset", "pidfd_open"}
	allowed := map[string][]string{
		"program": {"execve", "tgkill"}, "zygote": zygote, "starting zygote": append(zygote, "execve", "seccomp"),
		"zygote that gives a tmp":                append(zygote, "unshare", "mount"),
		"zygote of workers that are rolled back": append(slices.Clone(zygote), "userfaultfd", "seccomp"),
		"starting zygote of such workers":        append(slices.Clone(zygote), "userfaultfd", "seccomp", "execve"),
	}
	for of, policy := range policies {
		for _, rule := range policy.Allowed {
			if slices.Contains(forbidden, rule.Name) && !slices.Contains(allowed[of], rule.Name) {
				t.Errorf("%s: %s is allowed", of, rule.Name)
			}
		}
	}
}
