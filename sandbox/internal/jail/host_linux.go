package jail

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// childName is what the second start of this binary is called, and specVariable holds its Spec.
const (
	childName    = "functions-jail"
	specVariable = "FUNCTIONS_JAIL"
)

// namespaces are made anew for the child.
const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUTS |
	unix.CLONE_NEWCGROUP

// Command prepares cmd, whose standard streams and extra files may be set, to start the program of spec in a jail. Its
// extra files keep their numbers in the program; those that the jail adds are closed before it begins. Release must be
// called after the start.
func Command(cmd *exec.Cmd, spec Spec, users Users) (release func(), err error) {
	var opened []*os.File
	release = func() {
		for _, file := range opened {
			_ = file.Close()
		}
	}
	root := os.Geteuid() == 0
	spec.CloneInside = !root
	for _, mount := range spec.Mounts {
		if spec.CloneInside {
			break
		}
		file, err := cloneMount(mount)
		if err != nil {
			release()
			return nil, err
		}
		opened = append(opened, file)
	}
	spec.FirstMount = 3 + len(cmd.ExtraFiles)
	cmd.ExtraFiles = append(cmd.ExtraFiles, opened...)
	text, err := json.Marshal(spec)
	if err != nil {
		release()
		return nil, fmt.Errorf("jail: %w", err)
	}
	cmd.Path, cmd.Args = "/proc/self/exe", []string{childName}
	cmd.Env = []string{specVariable + "=" + string(text)}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: namespaces,
		UidMappings: []syscall.SysProcIDMap{{HostID: users.FirstUID, Size: users.Count}},
		GidMappings: []syscall.SysProcIDMap{{HostID: users.FirstGID, Size: users.Count}},
		// Root in the namespace, or the exec of the child would take its capabilities.
		Credential:                 &syscall.Credential{NoSetGroups: !root},
		GidMappingsEnableSetgroups: root,
	}
	return release, nil
}

// cloneMount makes a detached read-only copy of the mount at a path. The child need not be able to walk to the path
// itself. open_tree(2) is there from Linux 5.2, mount_setattr(2) from 5.12.
func cloneMount(mount Mount) (*os.File, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, mount.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("jail: clone mount %s: %w", mount.Source, err)
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID}
	if !mount.Device {
		attr.Attr_set |= unix.MOUNT_ATTR_NODEV
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return nil, errors.Join(fmt.Errorf("jail: make %s read-only: %w", mount.Source, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), mount.Target), nil
}
