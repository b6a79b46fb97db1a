package backup

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// trusted is a listener that accepts only connections of this process's user and of root. The mode of the socket does
// the same, but there is a moment before it is set.
type trusted struct{ net.Listener }

// Accept closes the connections of all others.
func (t trusted) Accept() (net.Conn, error) {
	for {
		conn, err := t.Listener.Accept()
		if err != nil || isTrusted(conn) {
			return conn, err
		}
		_ = conn.Close() // nothing was said
	}
}

func isTrusted(conn net.Conn) bool {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	trust := false
	err = raw.Control(func(fd uintptr) {
		peer, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		trust = err == nil && (peer.Uid == 0 || int(peer.Uid) == os.Geteuid())
	})
	return err == nil && trust
}
