package seccomp

import "slices"

// Operations of prctl(2) and what they are given (linux/prctl.h, linux/seccomp.h).
const (
	prSetPdeathsig    = 1
	prSetDumpable     = 4
	prSetSeccomp      = 22
	prSetNoNewPrivs   = 38
	seccompModeFilter = 2
	sigkill           = 9
)

// forkFlags are what fork(3) gives clone(2): CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID and SIGCHLD, and nothing else.
const forkFlags = 0x01200011

// Users are the IDs, in the fork server's user namespace, that workers get: from First to Last. There are none when
// Last is zero.
type Users struct{ First, Last uint32 }

// tmpFlags are those of the mount of a worker's /tmp: MS_NOSUID, MS_NODEV, MS_NOEXEC and MS_NOATIME. With them and no
// others mount(2) makes a new mount: it moves none, binds none and changes none.
const tmpFlags = 0x40e

// cloneNewNS is CLONE_NEWNS of unshare(2): a mount namespace.
const cloneNewNS = 0x20000

// Tmp is policy with what it takes to give a worker a /tmp of its own: a mount namespace, and a mount in it.
func Tmp(policy Policy) Policy {
	allow := []Rule{
		{Name: "unshare", Args: [][]Arg{{{Index: 0, Value: cloneNewNS}}}},
		{Name: "mount", Args: [][]Arg{{{Index: 3, Value: tmpFlags}}}},
	}
	policy.Deadly = slices.DeleteFunc(slices.Clone(policy.Deadly), func(name string) bool {
		return name == "unshare" || name == "mount"
	})
	policy.Allowed = append(slices.Clone(policy.Allowed), allow...)
	return policy
}

// Numbers of what it takes to have the host roll workers back.
const (
	uffdFlags          = 0x80801 // O_CLOEXEC, O_NONBLOCK, UFFD_USER_MODE_ONLY
	seccompSetFilter   = 1
	seccompNewNotifier = 8 // SECCOMP_FILTER_FLAG_NEW_LISTENER
	rlimitStack        = 3
)

// Rollback is policy with what it takes to make a worker one that the host can roll back: a userfaultfd for faults of
// user mode alone, a filter that notifies the host, and a stack that does not grow.
func Rollback(policy Policy) Policy {
	policy.Deadly = slices.DeleteFunc(slices.Clone(policy.Deadly), func(name string) bool { return name == "userfaultfd" })
	policy.Allowed = slices.Clone(policy.Allowed)
	limit := slices.IndexFunc(policy.Allowed, func(r Rule) bool { return r.Name == "prlimit64" })
	policy.Allowed[limit].Args = append(slices.Clone(policy.Allowed[limit].Args),
		[]Arg{{Index: 0}, {Index: 1, Value: rlimitStack}})
	policy.Allowed = append(policy.Allowed,
		Rule{Name: "userfaultfd", Args: [][]Arg{{{Index: 0, Value: uffdFlags}}}},
		Rule{Name: "seccomp", Args: [][]Arg{{{Index: 0, Value: seccompSetFilter}, {Index: 1, Value: seccompNewNotifier}}}})
	return policy
}

// Zygote is the policy for the process that workers are forked from, once it has everything loaded. Each worker has its
// own policy laid over this one, which therefore allows all that a worker may do; beyond that it allows what a fork and
// the first steps of a worker are, each with the very arguments that zygote.c uses. It signals nobody, and becomes no
// user but a worker's.
func Zygote(users Users) Policy {
	p := Worker()
	clone := slices.IndexFunc(p.Allowed, func(r Rule) bool { return r.Name == "clone" })
	p.Allowed[clone].Args = append(p.Allowed[clone].Args, []Arg{{Index: 0, Value: forkFlags}})
	prctl := slices.IndexFunc(p.Allowed, func(r Rule) bool { return r.Name == "prctl" })
	p.Allowed[prctl].Args = append(p.Allowed[prctl].Args,
		[]Arg{{Index: 0, Value: prSetDumpable}, {Index: 1, Value: 0}},
		[]Arg{{Index: 0, Value: prSetPdeathsig}, {Index: 1, Value: sigkill}},
		[]Arg{{Index: 0, Value: prSetNoNewPrivs}, {Index: 1, Value: 1}},
		[]Arg{{Index: 0, Value: prSetSeccomp}, {Index: 1, Value: seccompModeFilter}}) // it can only take away
	limit := slices.IndexFunc(p.Allowed, func(r Rule) bool { return r.Name == "prlimit64" })
	p.Allowed[limit].Args = append(p.Allowed[limit].Args,
		[]Arg{{Index: 0}, {Index: 1, Value: 6}}) // one's own RLIMIT_NPROC
	p.Allowed = append(p.Allowed,
		Rule{Name: "wait4"},
		Rule{Name: "pidfd_open", Args: [][]Arg{{{Index: 1}}}},
		Rule{Name: "close_range", Args: [][]Arg{{{Index: 2}}}},
		Rule{Name: "capset"}, // nobody gets by it what he does not have
	)
	if users.Last > 0 {
		worker := func(index uint32) Arg { return Arg{Index: index, Min: uint64(users.First), Max: uint64(users.Last)} }
		all := [][]Arg{{worker(0), worker(1), worker(2)}}
		p.Allowed = append(p.Allowed, Rule{Name: "setresuid", Args: all}, Rule{Name: "setresgid", Args: all})
	}
	return p
}

// Starting is policy with what a program needs in addition that is yet to be executed and then lays another filter over
// all of its threads.
func Starting(policy Policy) Policy {
	policy.Deadly = slices.DeleteFunc(slices.Clone(policy.Deadly), func(name string) bool { return name == "execve" })
	policy.Allowed = append(slices.Clone(policy.Allowed), Rule{Name: "execve"})
	every := []Arg{{Index: 0, Value: seccompSetFilter}, {Index: 1, Value: 1}} // SECCOMP_FILTER_FLAG_TSYNC
	if i := slices.IndexFunc(policy.Allowed, func(r Rule) bool { return r.Name == "seccomp" }); i >= 0 {
		policy.Allowed[i].Args = append(slices.Clone(policy.Allowed[i].Args), every)
		return policy
	}
	policy.Allowed = append(policy.Allowed, Rule{Name: "seccomp", Args: [][]Arg{every}})
	return policy
}
