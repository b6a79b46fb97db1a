package connections

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// limitUnsent bounds what waits in the kernel to be sent: tcp(7), TCP_NOTSENT_LOWAT, since Linux 3.12.
func limitUnsent(conn net.Conn, limit int) {
	withSocket(conn, func(fd int) { _ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, limit) })
}

// acknowledged is how many bytes the other side has acknowledged: TCP_INFO's tcpi_bytes_acked, since Linux 4.1. A probe
// of a window that is full acknowledges none. It is 0 for what is no TCP.
func acknowledged(conn net.Conn) uint64 {
	var acked uint64
	withSocket(conn, func(fd int) {
		if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			acked = info.Bytes_acked
		}
	})
	return acked
}

// withSocket calls use with the descriptor of conn, if it has one that is open.
func withSocket(conn net.Conn, use func(fd int)) {
	of, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := of.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { use(int(fd)) }) // an error says that it is closed
	}
}
