package zygote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrGone means that the zygote has ended; another must be started.
var ErrGone = errors.New("zygote: it has ended")

// Zygote is a running fork server. It is safe for concurrent use.
type Zygote struct {
	conn *net.UnixConn
	done chan struct{} // closed when the reader has ended

	forking sync.Mutex // one request at a time: reports of births come in the order of the requests
	born    chan birth

	mu       sync.Mutex // guards the fields below
	children map[int32]*Child
}

type birth struct {
	child *Child
	err   error
}

// Child is a worker that was forked.
type Child struct {
	// PID is its process ID as the host sees it.
	PID   int
	pidfd *os.File
	died  chan struct{}
	death Death // set before died is closed
}

// Kill sends SIGKILL. That the worker is dead already is no error.
func (c *Child) Kill() error {
	raw, err := c.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var killed error
	err = raw.Control(func(fd uintptr) { killed = unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0) })
	if err != nil || errors.Is(killed, unix.ESRCH) {
		return nil // the pidfd is closed once the worker has been reaped
	}
	return killed
}

// Wait returns when the worker has been reaped.
func (c *Child) Wait() Death {
	<-c.died
	return c.death
}

// Dead says whether the worker has been reaped, as far as the zygote has told.
func (c *Child) Dead() bool {
	select {
	case <-c.died:
		return true
	default:
		return false
	}
}

// SocketPair returns the two ends of a control socket: ours, and the one that the zygote inherits.
func SocketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("zygote: socketpair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "zygote"), os.NewFile(uintptr(fds[1]), "control"), nil
}

// New takes over ours, the control socket of a zygote that has been started.
func New(ours *os.File) (*Zygote, error) {
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, fmt.Errorf("zygote: %w", err)
	}
	z := &Zygote{
		conn: conn.(*net.UnixConn), done: make(chan struct{}), born: make(chan birth, 1), children: map[int32]*Child{},
	}
	go z.read()
	return z, nil
}

// Close ends the zygote and waits until nothing more comes from it.
func (z *Zygote) Close() error {
	err := z.conn.Close()
	<-z.done
	return err
}

// Gone says whether the zygote has ended.
func (z *Zygote) Gone() bool {
	select {
	case <-z.done:
		return true
	default:
		return false
	}
}

// Fork makes a worker with the given descriptors as its stdin, stdout and stderr and, when uid is not 0, with that user
// ID as the zygote's user namespace counts. The worker waits until it reads a byte.
//
// One that is to be rolled back gets two more descriptors, tracked: those of a rollback.Handover. Others get none.
//
// Watch is called when the zygote gets the request, and what it returns when there is an answer.
func (z *Zygote) Fork(
	uid uint32, stdin, stdout, stderr *os.File, tracked []int, watch func() (done func()),
) (*Child, error) {
	rights := unix.UnixRights(append([]int{int(stdin.Fd()), int(stdout.Fd()), int(stderr.Fd())}, tracked...)...)
	z.forking.Lock()
	defer z.forking.Unlock()
	defer watch()()
	if _, _, err := z.conn.WriteMsgUnix(forkRequest(uid, len(tracked) > 0), rights, nil); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return z.awaitBirth()
}

// Prepare makes the heap of the zygote, which is process pid, part of its forks: V8 of Node.js 20 and later prevents
// that.
func (z *Zygote) Prepare(pid int) error {
	z.forking.Lock()
	defer z.forking.Unlock()
	if err := z.unshareHeapLocked(nil); err != nil { // when it answers, no more JavaScript runs
		return err
	}
	return z.unshareHeapOfLocked(pid)
}

// Settle has the zygote, which is process pid, do what makes later forks cheaper and their first calls faster; gather
// says whether its heap may be moved for that. Meanwhile it does not fork, and tells of no death.
func (z *Zygote) Settle(pid int, gather bool) error {
	z.forking.Lock()
	defer z.forking.Unlock()
	if _, err := z.conn.Write(request(requestSettle)); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	if _, err := z.awaitBirth(); err != nil {
		return err
	}
	if err := z.unshareHeapOfLocked(pid); err != nil || !gather {
		return err
	}
	return z.gatherHeapLocked(pid)
}

// Quiet waits until no request is in progress. What died before then has been told.
func (z *Zygote) Quiet() {
	z.forking.Lock()
	defer z.forking.Unlock()
}

func (z *Zygote) unshareHeapOfLocked(pid int) error {
	ranges, err := mappings(pid)
	if err != nil {
		return err
	}
	return z.unshareHeapLocked(ranges)
}

func (z *Zygote) unshareHeapLocked(ranges []Range) error {
	for last := false; !last; {
		n := min(len(ranges), maxRanges)
		last = n == len(ranges)
		if _, err := z.conn.Write(unshareRequest(ranges[:n], last)); err != nil {
			return fmt.Errorf("%w: %w", ErrGone, err)
		}
		ranges = ranges[n:]
	}
	_, err := z.awaitBirth()
	return err
}

func (z *Zygote) awaitBirth() (*Child, error) {
	select {
	case b := <-z.born:
		return b.child, b.err
	case <-z.done:
		return nil, ErrGone
	}
}

// read takes the zygote's reports until it ends.
func (z *Zygote) read() {
	defer close(z.done)
	msg, oob := make([]byte, reportSize+1), make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, _, _, err := z.conn.ReadMsgUnix(msg, oob)
		if err != nil || n == 0 {
			z.reapOrphans()
			return
		}
		r, err := parseReport(msg[:n])
		if err != nil {
			_ = z.conn.Close() // ends it, and the next read here
			continue
		}
		switch r.kind {
		case reportDied:
			z.died(r)
		case reportFailed:
			z.born <- birth{err: fmt.Errorf("zygote: fork: %w", syscall.Errno(r.status))}
		case reportBorn:
			child, err := z.adopt(r.pid, oob[:oobn])
			z.born <- birth{child, err}
		}
	}
}

// adopt makes a Child of a report of birth. The report that something else is done has no PID.
func (z *Zygote) adopt(pid int32, oob []byte) (*Child, error) {
	if pid == 0 {
		return nil, nil //nolint:nilnil // not a birth
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return nil, errReport
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errReport
	}
	child := &Child{pidfd: os.NewFile(uintptr(fds[0]), "pidfd"), died: make(chan struct{})}
	child.PID, err = pidOf(fds[0])
	if err != nil {
		return nil, errors.Join(err, child.Kill(), child.pidfd.Close())
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.children[pid] = child
	return child, nil
}

// pidOf is the PID, in our own namespace, of the process that pidfd refers to: proc(5), /proc/PID/fdinfo.
func pidOf(pidfd int) (int, error) {
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(pidfd))
	if err != nil {
		return 0, fmt.Errorf("zygote: %w", err)
	}
	for line := range strings.Lines(string(info)) {
		if value, ok := strings.CutPrefix(line, "Pid:"); ok {
			pid, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil || pid <= 0 {
				return 0, errors.New("zygote: the worker is dead already")
			}
			return pid, nil
		}
	}
	return 0, errReport
}

func (z *Zygote) died(r report) {
	z.mu.Lock()
	child := z.children[r.pid]
	delete(z.children, r.pid)
	z.mu.Unlock()
	if child != nil {
		child.end(Death{Status: syscall.WaitStatus(r.status), Usage: r.usage})
	}
}

func (c *Child) end(death Death) {
	_ = c.pidfd.Close()
	c.death = death
	close(c.died)
}

// reapOrphans ends the workers that the zygote has left behind. In a PID namespace they are dead already.
func (z *Zygote) reapOrphans() {
	z.mu.Lock()
	children := z.children
	z.children = map[int32]*Child{}
	z.mu.Unlock()
	for _, child := range children {
		_ = child.Kill()
		child.awaitEnd()
		child.end(Death{Status: syscall.WaitStatus(syscall.SIGKILL)})
	}
}

// awaitEnd returns when the process is dead: a pidfd is readable then (pidfd_open(2)).
func (c *Child) awaitEnd() {
	raw, err := c.pidfd.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(poll, -1); !errors.Is(err, unix.EINTR) {
				return
			}
		}
	})
}
