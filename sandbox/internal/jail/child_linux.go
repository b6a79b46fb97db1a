package jail

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ExitFailed is the exit code of a child that could not build its jail; the reason is on its stderr.
const ExitFailed = 80

// A process that Command started becomes the program of its jail here, before main and before the packages that import
// this one: were that left to a call in main, a program without the call would run again inside every jail.
//
//nolint:gochecknoinits // the reason is above
func init() {
	if len(os.Args) > 0 && os.Args[0] == childName && !privileged() {
		becomeProgram()
	}
}

// privileged says whether who started this process has fewer rights than it, as with a set-user-ID program. Such a one
// must not do what its environment says. A child of Command has the rights of its parent.
func privileged() bool {
	const atSecure = 23 // AT_SECURE: getauxval(3)
	values, err := unix.Auxv()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(values, func(v [2]uintptr) bool { return v[0] == atSecure && v[1] != 0 })
}

// becomeProgram builds the jail and ends in its program, or with the reason on stderr.
func becomeProgram() {
	runtime.LockOSThread() // what follows belongs to this thread, which becomes the program
	err := run(os.Getenv(specVariable))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(ExitFailed)
}

// step is one part of building a jail.
type step struct {
	name string
	do   func(*Spec) error
}

// The order matters: what needs a capability comes before they are given up, what needs the old root before it is left.
var steps = []step{
	{"out-of-memory score", raiseOOMScore},
	{"private mounts", func(*Spec) error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }},
	{"root", mountRoot},
	{"mounts", moveMounts},
	{"tmp", mountTmp},
	{"pivot_root", pivot},
	{"read-only root", func(*Spec) error {
		const flags = unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
		return unix.Mount("", "/", "", flags, "")
	}},
	{"hostname", func(s *Spec) error { return unix.Sethostname([]byte(s.Hostname)) }},
	{"resource limits", setLimits},
	{"bounding set", dropBounding},
	{"secure bits", lockSecureBits},
	{"user", becomeUser},
	{"capabilities", dropCapabilities},
	{"no_new_privs", func(*Spec) error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }},
	{"parent death signal", func(*Spec) error { // lost with the user
		return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
	}},
	{"descriptors", closeOthers},
	{"system-call filter", installFilter},
}

func run(text string) error {
	var spec Spec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return fmt.Errorf("jail: spec: %w", err)
	}
	for _, s := range steps {
		if err := s.do(&spec); err != nil {
			return fmt.Errorf("jail: %s: %w", s.name, err)
		}
	}
	return fmt.Errorf("jail: exec %s: %w", spec.Path, syscall.Exec(spec.Path, spec.Args, spec.Env))
}

// raiseOOMScore makes the kernel kill workers before the server when the whole machine is short of memory: proc(5). It
// comes first since the new root has no /proc.
func raiseOOMScore(*Spec) error {
	const score = "500"
	return os.WriteFile("/proc/self/oom_score_adj", []byte(score), 0)
}

// mountRoot mounts the tmpfs that becomes the root. It holds only empty files and directories to mount on, which the
// program's user must be able to walk whatever the umask of the server is.
func mountRoot(s *Spec) error {
	unix.Umask(0o022)
	const flags, options = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "size=1m,nr_inodes=256,mode=755"
	if err := unix.Mount("tmpfs", s.Scratch, "tmpfs", flags, options); err != nil {
		return err
	}
	return os.Chdir(s.Scratch)
}

func moveMounts(s *Spec) error {
	for i, mount := range s.Mounts {
		fd := s.FirstMount + i
		if s.CloneInside {
			file, err := cloneMount(mount)
			if err != nil {
				return err
			}
			defer file.Close()
			fd = int(file.Fd())
		}
		target := strings.TrimPrefix(filepath.Clean(mount.Target), "/")
		if err := makeTarget(target, mount.Dir); err != nil {
			return err
		}
		if err := unix.MoveMount(fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("%s: %w", mount.Target, err)
		}
	}
	return nil
}

// mountTmp makes the directory for files of the program's own. Where it is the program's alone it is in memory: what
// is in it counts as the program's, and ends with it.
func mountTmp(s *Spec) error {
	if !s.TmpDir {
		return nil
	}
	if err := os.Mkdir("tmp", 0o755); err != nil || s.Tmp == 0 {
		return err
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME
	return unix.Mount("tmp", "tmp", "tmpfs", flags, s.tmpData())
}

func makeTarget(target string, dir bool) error {
	if dir {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

// pivot makes the current directory the root and lets go of the old one: pivot_root(2), "pivot_root(".", ".")".
func pivot(*Spec) error {
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	return os.Chdir("/")
}

func setLimits(s *Spec) error {
	for resource, value := range s.Limits {
		// syscall.Setrlimit, because syscall.Exec puts back the number of open files that Go has raised unless it was set
		// with it.
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("%d: %w", resource, err)
		}
	}
	return nil
}

// dropBounding removes for good what nothing here may ever have again: all capabilities but those that the program
// keeps.
func dropBounding(s *Spec) error {
	keep := capabilitySet(s.Capabilities)
	for c := range unix.CAP_LAST_CAP + 1 {
		if keep[c/32]&(1<<(c%32)) != 0 {
			continue
		}
		// EINVAL: the kernel does not know it.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
	return nil
}

// lockSecureBits takes the privilege from root's ID, for good, and keeps the permitted capabilities until the exec
// while the user changes: capabilities(7), "The securebits flags".
func lockSecureBits(*Spec) error {
	const noRoot, noRootLocked, noSetuidFixupLocked, keepCaps = 1 << 0, 1 << 1, 1 << 3, 1 << 4
	return unix.Prctl(unix.PR_SET_SECUREBITS, noRoot|noRootLocked|noSetuidFixupLocked|keepCaps, 0, 0, 0)
}

func becomeUser(s *Spec) error {
	if s.UID == 0 {
		return nil
	}
	if err := onThread(unix.SYS_SETGROUPS, 0, 0, 0); err != nil {
		return err
	}
	uid := uintptr(s.UID)
	if err := onThread(unix.SYS_SETRESGID, uid, uid, uid); err != nil {
		return err
	}
	return onThread(unix.SYS_SETRESUID, uid, uid, uid)
}

// onThread makes a system call for this thread alone; Go's own wrappers would change all threads.
func onThread(number, a, b, c uintptr) error {
	if _, _, errno := unix.RawSyscall(number, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

// dropCapabilities leaves the program those of the Spec, ambient so that they survive the exec.
func dropCapabilities(s *Spec) error {
	keep := capabilitySet(s.Capabilities)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{
		{Effective: keep[0], Permitted: keep[0], Inheritable: keep[0]},
		{Effective: keep[1], Permitted: keep[1], Inheritable: keep[1]},
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("ambient set: %w", err)
	}
	for _, c := range s.Capabilities {
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c), 0, 0); err != nil {
			return fmt.Errorf("ambient set: %w", err)
		}
	}
	return nil
}

func capabilitySet(numbers []int) (set [2]uint32) {
	for _, c := range numbers {
		set[c/32] |= 1 << (c % 32)
	}
	return set
}

// closeOthers marks every descriptor but the standard streams and the program's own as close-on-exec: close_range(2),
// Linux 5.11.
func closeOthers(s *Spec) error {
	return unix.CloseRange(uint(s.FirstMount), ^uint(0)>>33, unix.CLOSE_RANGE_CLOEXEC)
}

// installFilter comes last: from here on this thread may do little more than exec.
func installFilter(s *Spec) error {
	if len(s.Filter) == 0 {
		return nil
	}
	return setFilter(s.Filter)
}
