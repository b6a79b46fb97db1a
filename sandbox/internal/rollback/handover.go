//go:build linux && amd64

package rollback

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Handover is what a worker is given at its fork so that it can be rolled back: the list, and a socket on which it
// hands over its userfaultfd and its notifier.
type Handover struct {
	list   *list
	ours   *net.UnixConn
	theirs *os.File
}

// handoverSize is that of the message: where the stub's call returns to, where it reads, where its registers are, and
// an errno. The same is struct handover of runner-js/native/track.h.
const handoverSize = 32

// NewHandover makes one. Take or Close must be called.
func NewHandover() (*Handover, error) {
	l, err := newList()
	if err != nil {
		return nil, err
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rollback: socketpair: %w", err), l.close())
	}
	ours := os.NewFile(uintptr(fds[0]), "handover")
	conn, err := net.FileConn(ours)
	_ = ours.Close() // conn has a copy
	h := &Handover{list: l, theirs: os.NewFile(uintptr(fds[1]), "handover")}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rollback: %w", err), h.Close())
	}
	h.ours = conn.(*net.UnixConn)
	return h, nil
}

// Descriptors are what the fork server passes to the worker, in this order; none for a nil Handover.
func (h *Handover) Descriptors() []int {
	if h == nil {
		return nil
	}
	return []int{h.list.fd, int(h.theirs.Fd())}
}

// Sent closes what the worker has by now, so that its end is seen.
func (h *Handover) Sent() error { return errors.Join(h.list.closeFD(), h.theirs.Close()) }

// Close gives up what was not taken. It does nothing for a nil Handover.
func (h *Handover) Close() error {
	if h == nil {
		return nil
	}
	err := h.list.close()
	if h.ours != nil {
		err = errors.Join(err, h.ours.Close())
	}
	_ = h.theirs.Close() // most often it is closed already
	return err
}

// Take waits for what the worker hands over, and begins to answer its system calls. Store must be that of all workers
// of its fork server. The Handover is closed.
func (h *Handover) Take(ctx context.Context, pid int, store *Store) (*Worker, error) {
	defer h.ours.Close()
	stop := context.AfterFunc(ctx, func() { _ = h.ours.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	msg, oob := make([]byte, handoverSize+1), make([]byte, unix.CmsgSpace(8))
	n, oobn, _, _, err := h.ours.ReadMsgUnix(msg, oob)
	if err != nil || n == 0 {
		return nil, errors.Join(fmt.Errorf("rollback: the worker hands nothing over: %w", err), h.list.close())
	}
	fds := rightsOf(oob[:oobn])
	word := func(i int) uint64 { return binary.NativeEndian.Uint64(msg[8*i:]) }
	if n != handoverSize || len(fds) != 2 {
		err = fmt.Errorf("rollback: the worker hands %d descriptors over: %w", len(fds), syscall.Errno(word(3)))
		return nil, errors.Join(err, closeFDs(fds), h.list.close())
	}
	l, err := newListener(fds[1], word(0))
	if err != nil {
		return nil, errors.Join(err, closeFDs(fds[:1]), h.list.close())
	}
	w := &Worker{
		pid: pid, uffd: fds[0], list: h.list, listener: l, store: store, reading: word(1), registers: word(2),
		proc: newProc(pid), regions: make([]region, 512), scan: scan,
	}
	go l.run()
	if err := w.noteStub(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// rightsOf are the descriptors that came with a message.
func rightsOf(oob []byte) (fds []int) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range messages {
		if rights, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, rights...)
		}
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
	}
	return fds
}

func closeFDs(fds []int) error {
	var errs []error
	for _, fd := range fds {
		errs = append(errs, unix.Close(fd))
	}
	return errors.Join(errs...)
}
