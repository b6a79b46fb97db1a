package worker

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/jail"
)

// Where a jailed worker finds what it needs.
const (
	jailNode    = "/usr/bin/node"
	jailRunner  = "/runner"
	jailModules = "/modules"
	// scratch is a directory that every host has; the jail's root is mounted over it where only the jail can see that.
	scratch = "/sys"
)

// jailer puts processes behind namespaces, in a root of their own.
type jailer struct {
	cfg    *Config
	mounts []jail.Mount
	users  jail.Users
	claim  jail.Claim // nil unless root
	root   bool       // whether the server is, and has IDs to give
}

func newJailer(ctx context.Context, cfg *Config) (*jailer, error) {
	paths, err := jail.Libraries(ctx, cfg.Node)
	if err != nil {
		return nil, fmt.Errorf("sandbox: libraries of %s: %w", cfg.Node, err)
	}
	j := &jailer{cfg: cfg}
	j.users, j.claim, j.root = jail.ClaimUsers()
	j.mounts = []jail.Mount{
		{Source: cfg.Node, Target: jailNode},
		{Source: filepath.Dir(cfg.Runner), Target: jailRunner, Dir: true},
		{Source: "/dev/null", Target: "/dev/null", Device: true},
		{Source: "/dev/urandom", Target: "/dev/urandom", Device: true}, // without it Node.js 8 spins without end
	}
	if cfg.ModulesDir != "" {
		j.mounts = append(j.mounts, jail.Mount{Source: cfg.ModulesDir, Target: jailModules, Dir: true})
	}
	j.mounts = append(j.mounts, cfg.Egress.mounts()...)
	j.mounts = append(j.mounts, zoneMounts()...)
	j.mounts = append(j.mounts, cfg.icuMounts()...)
	for _, path := range paths {
		j.mounts = append(j.mounts, jail.Mount{Source: path, Target: path})
	}
	return j, nil
}

// role is what a process in a jail is: a user of its namespace, its system-call filter from its exec on, and what it
// keeps of root's powers.
type role struct {
	uid          uint32
	filter       []byte
	capabilities []int
	tmp          int64 // bytes of a /tmp of its own; 0 for none
}

// wrap changes cmd, made by nodeCommand, to run in a jail as r. Release must be called after its start.
func (j *jailer) wrap(cmd *exec.Cmd, r role) (release func(), err error) {
	spec := jail.Spec{
		Path: jailNode, Args: j.inside(cmd), Env: zoneEnvironment(j.cfg, jailRunner),
		Scratch: scratch, Mounts: j.mounts, Hostname: "worker", Filter: r.filter,
		Capabilities: r.capabilities, TmpDir: j.cfg.Limits.Tmp > 0, Tmp: r.tmp,
		Limits: map[int]uint64{
			unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: 256,
			unix.RLIMIT_FSIZE:   uint64(2 * j.cfg.Limits.Tmp), // a full /tmp is told before //nolint:gosec // not below 0
			unix.RLIMIT_MEMLOCK: 0, unix.RLIMIT_MSGQUEUE: 0,
		},
	}
	if j.root {
		spec.UID = int(r.uid)
	}
	return jail.Command(cmd, spec, j.users)
}

// inside are the arguments of cmd with the paths that lead to the same in a jail.
func (j *jailer) inside(cmd *exec.Cmd) []string {
	args := slices.Clone(cmd.Args)
	args[0] = "node"
	if j.cfg.ICUData != "" {
		args[slices.Index(args, icuFlag+j.cfg.ICUData)] = icuFlag + jailICU
	}
	args[slices.Index(args, j.cfg.Runner)] = filepath.Join(jailRunner, filepath.Base(j.cfg.Runner))
	return args
}

// workerID is the user ID, inside the namespace, of the worker in a slot; 0 when there is none to give, as without a
// jailer.
func (j *jailer) workerID(slot int) uint32 {
	if j == nil || !j.root {
		return 0
	}
	return uint32(j.users.Of(slot))
}

// startJailed starts cmd on the thread, in a jail as r unless j is nil.
func (t commandThread) startJailed(cmd *exec.Cmd, j *jailer, r role) error {
	if j == nil {
		return t.start(cmd)
	}
	release, err := j.wrap(cmd, r)
	if err != nil {
		return err
	}
	defer release()
	return t.start(cmd)
}
