package program

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/jail"
	"github.com/backstage/functions/sandbox/internal/seccomp"
)

const (
	// inside is where a program finds itself.
	inside = "/program"
	// scratch is a directory that every host has; the jail's root is mounted over it where only the jail can see that.
	scratch = "/sys"
	// tmp is the directory for its files.
	tmp = "/tmp"
)

// jailer puts runs behind namespaces, in a root of their own.
type jailer struct {
	spec  jail.Spec
	users jail.Users
	claim jail.Claim // nil unless each run can have a user of its own
}

func newJailer(ctx context.Context, cfg *Config) (*jailer, error) {
	filter, err := seccomp.Compile(seccomp.Program())
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	mounts, err := mountsOf(ctx, cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("sandbox: libraries of %s: %w", cfg.Path, err)
	}
	limits := cfg.Limits
	j := &jailer{spec: jail.Spec{
		Path: inside, Args: cfg.Args, Env: environment(tmp), Scratch: scratch, Mounts: mounts, Hostname: cfg.Name,
		TmpDir: true, Tmp: limits.Tmp, TmpFiles: limits.TmpFiles, Filter: filter,
		Limits: map[int]uint64{unix.RLIMIT_MEMLOCK: 0, unix.RLIMIT_MSGQUEUE: 0},
	}}
	for resource, value := range limits.resources() {
		j.spec.Limits[resource] = value
	}
	j.users, j.claim, _ = jail.ClaimUsers()
	return j, nil
}

// mountsOf are a program and its shared libraries. A program without a loader has none, and must not be asked for them
// by running it.
func mountsOf(ctx context.Context, path string) ([]jail.Mount, error) {
	if os.Geteuid() != 0 {
		// A jail that clones mounts itself can do that with those of its own namespace: /proc/self/exe leads to another
		// one. As root it is better, since it stays the same when somebody replaces the file.
		var err error
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	}
	mounts := []jail.Mount{{Source: path, Target: inside}, {Source: "/dev/null", Target: "/dev/null", Device: true}}
	dynamic, err := hasLoader(path)
	if err != nil || !dynamic {
		return mounts, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, err
	}
	libraries, err := jail.Libraries(ctx, path)
	for _, library := range libraries {
		mounts = append(mounts, jail.Mount{Source: library, Target: library})
	}
	return mounts, err
}

// hasLoader says whether a program names an interpreter: elf(5), PT_INTERP.
func hasLoader(path string) (bool, error) {
	file, err := elf.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return true, nil
		}
	}
	return false, nil
}

// wrap makes cmd start the program behind the jail. Release must be called after the start.
func (j *jailer) wrap(cmd *exec.Cmd, slot int) (release func(), err error) {
	spec := j.spec
	if j.claim != nil {
		spec.UID = j.users.Of(slot)
	}
	return jail.Command(cmd, spec, j.users)
}
