package worker

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// unread is how many bytes stand in the pipe to the stdin of the dead process, -1 when that cannot be learnt.
func (p *pipes) unread() int { return unread(p.stdin) }

// unread is how many bytes stand in a pipe, by either end of it; -1 when that cannot be learnt (FIONREAD, which is
// TIOCINQ).
func unread(pipe *os.File) int {
	unread := -1
	if conn, err := pipe.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) {
			if n, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ); err == nil {
				unread = n
			}
		})
	}
	return unread
}

// lastWords is the end of what the dead process wrote to stderr: what the pipe holds, so that nobody has to read along.
func (p *pipes) lastWords() string {
	words := new(tail)
	_, _ = io.Copy(words, p.stderr) // ends at once: the other end is closed
	return words.String()
}
