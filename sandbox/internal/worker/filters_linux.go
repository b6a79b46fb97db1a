package worker

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/seccomp"
)

// zygoteID is the user of the zygote, inside its namespace.
const zygoteID = 1

// filters are system-call filters, each an array of struct sock_filter. Without a jail there are none.
type filters struct {
	start  []byte // of what is started in a jail, from its exec on
	zygote []byte // that a zygote takes on in addition, once it has everything loaded
	worker []byte // that a forked worker takes on in addition
}

// filters are those of this jail's processes; forks says whether it has a zygote.
func (j *jailer) filters(forks bool) (f filters, err error) {
	if j == nil {
		return f, nil
	}
	if !forks {
		f.start, err = execFilter()
		return f, err
	}
	zygote := seccomp.Zygote(j.workerIDs())
	if j.cfg.Limits.Tmp > 0 {
		zygote = seccomp.Tmp(zygote)
	}
	if j.cfg.Rollback {
		zygote = seccomp.Rollback(zygote)
	}
	var errs [3]error
	f.start, errs[0] = seccomp.Compile(seccomp.Starting(zygote))
	f.zygote, errs[1] = seccomp.Compile(zygote)
	f.worker, errs[2] = seccomp.Compile(seccomp.Worker())
	return f, errors.Join(errs[:]...)
}

// refuseRings has all that the thread starts from now on do without io_uring. A jail's filter refuses it, and workers
// without a jail have none until they are forked: too late for what Node.js shares with the kernel when it starts.
func (t commandThread) refuseRings() error {
	program, err := seccomp.Compile(seccomp.WithoutRings())
	if err != nil {
		return err
	}
	if err := t.filter(program); err != nil {
		return fmt.Errorf("refuse io_uring: %w", err)
	}
	return nil
}

// zygoteRole is what a zygote is in a jail. It keeps what it needs to give each worker an ID and a /tmp of its own:
// docs/decisions/0003 and 0017.
func (j *jailer) zygoteRole(f filters) role {
	r := role{uid: zygoteID, filter: f.start}
	if j == nil {
		return r
	}
	if j.root {
		r.capabilities = append(r.capabilities, unix.CAP_SETUID, unix.CAP_SETGID)
	}
	if j.cfg.Limits.Tmp > 0 {
		r.capabilities = append(r.capabilities, unix.CAP_SYS_ADMIN)
	}
	return r
}

// workerIDs are those that workerID gives.
func (j *jailer) workerIDs() seccomp.Users {
	if !j.root {
		return seccomp.Users{}
	}
	return seccomp.Users{First: uint32(j.users.First()), Last: uint32(j.users.Last())}
}

// execFilter is that of a worker that starts itself, and must still do its exec.
func execFilter() ([]byte, error) {
	policy := seccomp.Worker()
	policy.Deadly = slices.DeleteFunc(policy.Deadly, func(name string) bool { return name == "execve" })
	policy.Allowed = append(policy.Allowed, seccomp.Rule{Name: "execve"})
	return seccomp.Compile(policy)
}
