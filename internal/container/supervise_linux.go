package container

import (
	"errors"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// self is this binary, even if its path has changed.
const self = "/proc/self/exe"

// passedOn are the signals that the first process forwards to the server.
var passedOn = []os.Signal{
	syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
}

// supervise starts the server as a child, with its own view of the cgroups if asked to, and returns the server's exit
// code after it has ended. Until then it forwards signals and reaps every orphan: as the first process of a PID
// namespace it becomes their parent.
func supervise(groups bool) (code int, err error) {
	runtime.LockOSThread() // Pdeathsig is bound to the parent thread: prctl(2)
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passedOn...)
	server, err := startServer(groups)
	if err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			_ = server.Signal(s) // an error means that it has already ended
		}
	}()
	return reap(server.Pid)
}

// startServer starts this binary again. The server has its own process group, so that a terminal's Ctrl-C reaches it
// only once, through its parent.
func startServer(groups bool) (*os.Process, error) {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	args := append([]string{"functions"}, os.Args[1:]...)
	if groups {
		args[0] = childName
		if err := ownGroups(attr); err != nil {
			return nil, err
		}
	}
	server, err := os.StartProcess(self, args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: attr})
	if err != nil {
		return nil, explainStart(err, mayMap())
	}
	return server, nil
}

// mayMap says whether this process may map the user IDs that ownGroups maps: user_namespaces(7), "Defining user and
// group ID mappings". Mapping root needs CAP_SETFCAP from Linux 5.12 on.
func mayMap() bool {
	if os.Geteuid() != 0 {
		return true
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	const needed uint32 = 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID | 1<<unix.CAP_SETFCAP
	return data[0].Effective&needed == needed
}

// reap waits for processes until the one called server has ended, and returns its exit code as a shell would.
func reap(server int) (code int, err error) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, os.NewSyscallError("wait4", err)
		case pid == server && status.Signaled():
			return 128 + int(status.Signal()), nil
		case pid == server && status.Exited():
			return status.ExitStatus(), nil
		}
	}
}
