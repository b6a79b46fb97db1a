package egress

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf is the process that connected conn, by its ID as this process sees it: unix(7), SO_PEERCRED. The kernel noted
// it at the connect(2), so it cannot be forged.
func peerOf(conn *net.UnixConn) (int, error) {
	pid := 0
	err := control(conn, func(fd int) error {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err == nil {
			pid = int(cred.Pid)
		}
		return err
	})
	return pid, err
}

// peerLives says whether the process that connected conn still exists, and so whether its ID is still its own: a worker
// could leave a connection behind for the next process with its ID. SO_PEERPIDFD came with Linux 6.5; before it, all
// count as alive.
func peerLives(conn *net.UnixConn) bool {
	lives := false
	err := control(conn, func(fd int) error {
		pidfd, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
		switch {
		case errors.Is(err, unix.ENOPROTOOPT):
			lives = true
			return nil
		case err != nil:
			return err // already reaped
		}
		defer unix.Close(pidfd)
		// A pidfd is readable when its process has ended: pidfd_open(2).
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
		lives = err == nil && ready == 0
		return err
	})
	return err == nil && lives
}

// control calls f with conn's descriptor.
func control(conn *net.UnixConn, f func(fd int) error) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = f(int(fd)) })
	return errors.Join(err, failed)
}
