package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/rollback"
	"github.com/backstage/functions/sandbox/internal/wire"
	"github.com/backstage/functions/sandbox/internal/zygote"
)

// forkLauncher forks every worker from a zygote, which it starts and, when it has ended, starts again.
type forkLauncher struct {
	cfg    *Config
	init   []byte
	jailer *jailer // nil without namespaces
	role   role    // of the zygote in it
	thread commandThread

	settles     sync.WaitGroup
	settledOnce atomic.Bool // a zygote has settled, or tried to

	// careful: a zygote has failed to settle. The next one settles before it forks, so that a failure is one of its start.
	careful    atomic.Bool
	unreported atomic.Bool // and its end may have been that of a worker which was starting
	restarts   atomic.Bool // one has ended, and another is being started

	mu      sync.Mutex // guards the fields below; held while a zygote starts, so that one start serves all who wait
	started bool       // a first one was there
	current *forkServer
}

// forkServer is a zygote and its process.
type forkServer struct {
	*zygote.Zygote
	process  command
	gathers  bool // its heap when it settles
	settling sync.Once
}

func (f *forkLauncher) launch(
	ctx context.Context, slot int, stdin, stdout, stderr *os.File, tracked *rollback.Handover,
) (handle, error) {
	server, err := f.server(ctx)
	if err != nil {
		return nil, err
	}
	child, err := server.Fork(f.jailer.workerID(slot), stdin, stdout, stderr, tracked.Descriptors(), server.watch)
	if err != nil {
		return nil, err
	}
	// While the first worker is put into its cgroup, which takes as long where nothing else goes on.
	f.settles.Go(func() { f.settle(server) })
	return forked{child, server}, nil
}

// settle settles server, if that has not been done, and returns when it is over.
func (f *forkLauncher) settle(server *forkServer) {
	server.settling.Do(func() {
		if server.settle(server.watch) != nil {
			f.careful.Store(true)
			f.unreported.Store(true)
		}
	})
	f.settledOnce.Store(true)
}

func (f *forkLauncher) retryStart() bool {
	f.mu.Lock()
	server := f.current
	f.mu.Unlock()
	if server != nil {
		f.settle(server)
	}
	return f.unreported.Swap(false)
}

// watch kills the zygote unless done is called in time.
func (s *forkServer) watch() (done func()) { return zygote.Watch(s.process.pid(), s.process.kill) }

// watchFor is watch with a time limit that holds whatever the zygote waits for.
func (s *forkServer) watchFor(timeout time.Duration) func() (done func()) {
	return func() func() {
		timer := time.AfterFunc(timeout, s.process.kill)
		return func() { timer.Stop() }
	}
}

// settle has the zygote make its later forks better. One that fails to is killed: its forks would not be what they
// should.
func (s *forkServer) settle(watch func() (done func())) error {
	defer watch()()
	err := s.Settle(s.process.pid(), s.gathers)
	if err != nil {
		s.process.kill()
	}
	return err
}

func (f *forkLauncher) first() []byte { return []byte{'\n'} }

// server returns the one that runs, or a new one.
func (f *forkLauncher) server(ctx context.Context) (*forkServer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil && !f.current.Gone() {
		return f.current, nil
	}
	if err := f.endLocked(); err != nil {
		return nil, err
	}
	f.restarts.Store(f.started)
	defer f.restarts.Store(false)
	server, err := f.startServer(ctx)
	if err != nil {
		return nil, fmt.Errorf("start zygote: %w", err)
	}
	if f.started {
		f.cfg.Observer.ZygoteRestarted()
	}
	f.current, f.started = server, true
	return server, nil
}

// startServer starts Node.js as a fork server and returns when it has everything loaded.
func (f *forkLauncher) startServer(ctx context.Context) (*forkServer, error) {
	ours, theirs, err := zygote.SocketPair()
	if err != nil {
		return nil, err
	}
	cmd := nodeCommand(f.cfg, "zygote")
	cmd.ExtraFiles = []*os.File{theirs} // descriptor 3
	stderr := new(tail)
	cmd.Stderr = stderr
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err = errors.Join(err1, err2); err == nil {
		err = f.thread.startJailed(cmd, f.jailer, f.role)
	}
	_ = theirs.Close() // the zygote has its own; with ours open we would not see its end
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	process := command{cmd}
	stop := context.AfterFunc(ctx, process.kill)
	defer stop()
	z, err := zygote.New(ours)
	gathers := !f.cfg.Rollback // a worker that is put back is forked once for many calls
	server := &forkServer{Zygote: z, process: process, gathers: gathers}
	if err == nil {
		if err = f.prepare(server, stdin, stdout); err != nil {
			err = errors.Join(err, z.Close())
		}
	}
	if err != nil {
		process.kill()
		status, _ := process.wait()
		return nil, fmt.Errorf("%w (it ended %s: %s)", err, endOf(status), stderr.String())
	}
	return server, nil
}

// endOf says how a process ended.
func endOf(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "by signal " + unix.SignalName(status.Signal())
	}
	return "with code " + strconv.Itoa(status.ExitStatus())
}

// prepare tells a new zygote what its workers need and waits until it is ready to fork.
func (f *forkLauncher) prepare(server *forkServer, stdin io.Writer, stdout io.Reader) error {
	if _, err := stdin.Write(f.init); err != nil {
		return err
	}
	if _, err := wire.NewReader(stdout, f.cfg.Limits.wire()).Next(""); err != nil { // what it says its forks say too
		return err
	}
	err := server.Prepare(server.process.pid())
	if err == nil && f.careful.Load() {
		server.settling.Do(func() { err = server.settle(server.watchFor(f.cfg.StartTimeout)) })
	}
	if f.cfg.Rollback {
		interruptNobody(server.process.pid())
	}
	return err
}

// endLocked ends the current zygote, if there is one, and reaps it.
func (f *forkLauncher) endLocked() error {
	if f.current == nil {
		return nil
	}
	err := f.current.Close()
	f.current.process.kill()
	f.current.process.wait()
	f.current = nil
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func (f *forkLauncher) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.endLocked()
	f.settles.Wait() // its zygote has ended
	return err
}

// forked is a worker that a zygote made.
type forked struct {
	*zygote.Child
	server *forkServer
}

func (f forked) pid() int { return f.PID }

// kill also ends the zygote when that does not report the death: without the report the worker's slot would never be
// free again.
func (f forked) kill() {
	_ = f.Kill() // an error means that it has ended already
	zygote.Watch(f.server.process.pid(), func() {
		f.server.Quiet()
		if !f.Dead() {
			f.server.process.kill()
		}
	})
}

func (f forked) wait() (syscall.WaitStatus, resources) {
	death := f.Wait()
	return death.Status, resources{peak: death.Usage.MaxRSS, cpu: death.Usage.CPU}
}

// serverDies says whether the fork server of a process is at its end, with which the process dies.
func serverDies(h handle) bool {
	f, ok := h.(forked)
	return ok && (f.server.Gone() || ending(f.server.process.pid()))
}
