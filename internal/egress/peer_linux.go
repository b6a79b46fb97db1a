package egress

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf is the process that connected conn, by its ID as this process sees it: unix(7), SO_PEERCRED. The kernel noted it at the
// connect(2), so nobody can claim to be another.
func peerOf(conn *net.UnixConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(err, failed); err != nil {
		return 0, err
	}
	return int(cred.Pid), nil
}
