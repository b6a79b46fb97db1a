//go:build linux && amd64

package rollback

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// parked says that the worker waits in its stub, and what its system calls since the last time may have left behind.
type parked struct {
	id    uint64 // of the notification that is to be answered
	taint taint
	call  int32 // the last one that cannot be put back
	seen  *stat // what Soon has read meanwhile, if it was called
}

// listener hears of a worker's system calls, answers those of its code and hands on those of its stub.
type listener struct {
	file    *os.File
	stub    uint64 // the instruction after the stub's call
	judged  atomic.Pointer[judged]
	parks   chan parked   // one at a time: the worker waits for the answer
	stopped chan struct{} // closed when there is nothing more to hear

	mu  sync.Mutex // held from finding a notification to taking it, and guards sum
	sum parked     // what there was since the worker parked last
	// hook is nil but in tests: it sees notifications first, and may keep them.
	hook atomic.Pointer[func(*notification) bool]
}

// newListener takes over fd.
func newListener(fd int, stub uint64) (*listener, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	l := &listener{
		file: os.NewFile(uintptr(fd), "seccomp notifier"), stub: stub,
		parks: make(chan parked, 1), stopped: make(chan struct{}),
	}
	l.judged.Store(&judged{})
	return l, nil
}

// run answers notifications until the worker is dead or the listener is closed.
func (l *listener) run() {
	defer close(l.stopped)
	conn, err := l.file.SyscallConn()
	if err != nil {
		return
	}
	for {
		over := true
		err := conn.Read(func(fd uintptr) bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			ready := pending(int(fd))
			if ready == unix.POLLIN {
				over = !l.answer(int(fd))
			}
			return ready != 0
		})
		if err != nil || over {
			return
		}
	}
}

// look takes a notification if there is one, beside run, which may not have been woken for it yet.
func (l *listener) look() {
	conn, err := l.file.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) { // what is wrong with it run hears, too
		l.mu.Lock()
		defer l.mu.Unlock()
		if pending(int(fd)) == unix.POLLIN {
			l.answer(int(fd))
		}
	})
}

// pending says whether a notification is there: POLLIN; or that the worker is dead: POLLHUP. Only then may it be
// received, which would block.
func pending(fd int) int16 {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 0)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return unix.POLLERR
		case n == 0:
			return 0
		case fds[0].Revents&unix.POLLIN != 0:
			return unix.POLLIN
		default:
			return unix.POLLHUP
		}
	}
}

// answer takes a notification. It returns false when there can be no other. Whoever calls it holds mu.
func (l *listener) answer(fd int) bool {
	var n notification
	if err := notifyReceive(fd, &n); err != nil {
		return errors.Is(err, unix.ENOENT) // the thread is gone that would have told
	}
	if hook := l.hook.Load(); hook != nil && (*hook)(&n) {
		return true
	}
	if n.number == unix.SYS_GETEGID && n.ip == l.stub {
		l.park(fd, n.id)
		return true
	}
	taint := l.judged.Load().judge(n.number, &n.args)
	if taint&taintOther != 0 {
		l.sum.call = n.number
	}
	l.sum.taint |= taint
	err := notifyContinue(fd, n.id)
	return err == nil || errors.Is(err, unix.ENOENT)
}

// park hands on that the worker waits in its stub. Whoever calls it holds mu.
func (l *listener) park(fd int, id uint64) {
	select { // what it asked before it was stopped, and nobody has heard of yet, is void
	case last := <-l.parks:
		if notifyValid(fd, last.id) { // a second thread, which waits until its process is killed
			l.parks <- last
			l.sum.taint |= taintOther
			l.sum.call = unix.SYS_GETEGID
			return
		}
		l.sum.taint |= last.taint
		if l.sum.call == 0 {
			l.sum.call = last.call
		}
	default:
	}
	l.sum.id = id
	l.parks <- l.sum
	l.sum = parked{}
}

// reply answers the stub.
func (l *listener) reply(id uint64, value int64) error {
	conn, err := l.file.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := conn.Control(func(fd uintptr) { sent = notifyReturn(int(fd), id, value) }); err != nil {
		return err
	}
	return sent
}

func (l *listener) close() error {
	err := l.file.Close()
	<-l.stopped
	return err
}
