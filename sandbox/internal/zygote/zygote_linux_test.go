package zygote

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// standIn is the other end of the control socket, where a real zygote would be.
type standIn struct {
	t  *testing.T
	fd int
}

func newZygote(t *testing.T) (*Zygote, standIn) {
	t.Helper()
	ours, theirs, err := SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	z, err := New(ours)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.FcntlInt(theirs.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err = errors.Join(err, theirs.Close()); err != nil {
		t.Fatal(err)
	}
	return z, standIn{t, fd}
}

// take reads one request and closes the descriptors that came with it.
func (s standIn) take() (kind uint32, descriptors int) {
	msg, oob := make([]byte, 1<<16), make([]byte, unix.CmsgSpace(12))
	n, oobn, _, _, err := unix.Recvmsg(s.fd, msg, oob, 0)
	if err != nil || n < requestSize {
		s.t.Errorf("request of %d bytes: %v", n, err)
		return 0, 0
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err == nil && len(messages) == 1 {
		fds, _ := unix.ParseUnixRights(&messages[0])
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
		descriptors = len(fds)
	}
	return binary.NativeEndian.Uint32(msg), descriptors
}

func (s standIn) report(kind uint32, pid, status int32, rights []byte) {
	msg := make([]byte, reportSize)
	binary.NativeEndian.PutUint32(msg[0:], kind)
	binary.NativeEndian.PutUint32(msg[4:], uint32(pid))
	binary.NativeEndian.PutUint32(msg[8:], uint32(status))
	binary.NativeEndian.PutUint32(msg[12:], 2048)
	binary.NativeEndian.PutUint64(msg[16:], 1500)
	if err := unix.Sendmsg(s.fd, msg, rights, nil, 0); err != nil {
		s.t.Error(err)
	}
}

// bear answers a request to fork with a process that sleeps, as number 7.
func (s standIn) bear() *exec.Cmd {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	pidfd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.report(reportBorn, 7, 0, unix.UnixRights(pidfd))
	if err := unix.Close(pidfd); err != nil {
		s.t.Error(err)
	}
	return cmd
}

// fork makes z fork a child that s bears.
func fork(t *testing.T, z *Zygote, s standIn) (*Child, *exec.Cmd) {
	t.Helper()
	process := make(chan *exec.Cmd, 1)
	go func() {
		if kind, n := s.take(); kind != requestFork || n != 3 {
			t.Errorf("request %d with %d descriptors", kind, n)
		}
		process <- s.bear()
	}()
	child, err := z.Fork(5, os.Stdin, os.Stdout, os.Stderr, nil, unwatched)
	if err != nil {
		t.Fatal(err)
	}
	return child, <-process
}

func TestForkReturnsTheChildAndItsDeath(t *testing.T) {
	z, s := newZygote(t)
	child, cmd := fork(t, z, s)
	if child.PID != cmd.Process.Pid {
		t.Errorf("PID %d, want %d", child.PID, cmd.Process.Pid)
	}
	if err := child.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	s.report(reportDied, 7, int32(syscall.SIGKILL), nil)
	death := child.Wait()
	want := Death{Status: syscall.WaitStatus(syscall.SIGKILL), Usage: Usage{MaxRSS: 2 << 20, CPU: 1500 * time.Microsecond}}
	if death != want {
		t.Errorf("got %+v, want %+v", death, want)
	}
	if err := child.Kill(); err != nil {
		t.Errorf("killing the dead: %v", err)
	}
	if err := errors.Join(unix.Close(s.fd), z.Close()); err != nil {
		t.Error(err)
	}
}

func TestForkThatFailsNamesTheCause(t *testing.T) {
	z, s := newZygote(t)
	go func() {
		s.take()
		s.report(reportFailed, 0, int32(syscall.EAGAIN), nil)
	}()
	if _, err := z.Fork(0, os.Stdin, os.Stdout, os.Stderr, nil, unwatched); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(unix.Close(s.fd), z.Close()); err != nil {
		t.Error(err)
	}
}

func TestTheEndOfTheZygoteBuriesItsChildren(t *testing.T) {
	z, s := newZygote(t)
	child, cmd := fork(t, z, s)
	reaped := make(chan error, 1)
	go func() { reaped <- cmd.Wait() }()
	if err := unix.Close(s.fd); err != nil {
		t.Fatal(err)
	}
	if death := child.Wait(); death.Status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", death.Status)
	}
	<-reaped
	<-z.done
	if _, err := z.Fork(0, os.Stdin, os.Stdout, os.Stderr, nil, unwatched); !errors.Is(err, ErrGone) || !z.Gone() {
		t.Errorf("a fork after the end: %v", err)
	}
	if err := z.Close(); err != nil {
		t.Error(err)
	}
}

func TestReportsThatCannotBeReadEndIt(t *testing.T) {
	z, s := newZygote(t)
	if err := unix.Sendmsg(s.fd, []byte("nonsense"), nil, nil, 0); err != nil {
		t.Fatal(err)
	}
	<-z.done
	if _, err := z.Fork(0, os.Stdin, os.Stdout, os.Stderr, nil, unwatched); !errors.Is(err, ErrGone) {
		t.Errorf("got %v", err)
	}
	if err := unix.Close(s.fd); err != nil {
		t.Error(err)
	}
}

func TestUnshareHeapSendsEveryRange(t *testing.T) {
	z, s := newZygote(t)
	requests := make(chan int, 1)
	go func() {
		n := 0
		for range 3 {
			s.take()
			n++
		}
		s.report(reportBorn, 0, 0, nil)
		requests <- n
	}()
	if err := z.unshareHeapLocked(make([]Range, 2*maxRanges+1)); err != nil {
		t.Error(err)
	}
	if n := <-requests; n != 3 {
		t.Errorf("%d requests", n)
	}
	if err := errors.Join(unix.Close(s.fd), z.Close()); err != nil {
		t.Error(err)
	}
}

// After it has settled the zygote's heap is another one, which its forks must have.
func TestSettleUnsharesTheHeapAgain(t *testing.T) {
	z, s := newZygote(t)
	requests := make(chan []uint32, 1)
	go func() {
		var kinds []uint32
		for range 2 {
			kind, _ := s.take()
			kinds = append(kinds, kind)
			s.report(reportBorn, 0, 0, nil)
		}
		requests <- kinds
	}()
	if err := z.Settle(os.Getpid(), false); err != nil {
		t.Error(err)
	}
	if kinds := <-requests; !slices.Equal(kinds, []uint32{requestSettle, requestUnshareHeap}) {
		t.Errorf("requests %d", kinds)
	}
	if err := errors.Join(unix.Close(s.fd), z.Close()); err != nil {
		t.Error(err)
	}
}

func TestMappingsArePrivateRanges(t *testing.T) {
	ranges, err := mappings(os.Getpid())
	if err != nil || len(ranges) < 5 {
		t.Fatalf("%d ranges, %v", len(ranges), err)
	}
	for _, r := range ranges {
		if r.Length == 0 || r.Start%4096 != 0 || r.Length%4096 != 0 {
			t.Errorf("%#x + %#x", r.Start, r.Length)
		}
	}
}

// unwatched lets a fork take as long as it likes.
func unwatched() (done func()) { return func() {} }
