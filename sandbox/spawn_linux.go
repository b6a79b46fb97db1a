package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// spawner makes workers: a control group, three pipes and a process for each.
type spawner struct {
	cfg      Config
	slots    *slots
	groups   *groups // nil without limits
	jailer   *jailer // nil without namespaces
	launcher launcher
	forks    bool
	thread   commandThread

	reporting sync.Mutex // guards reported
	reported  Report     // of the first worker
}

// pools are the indexes of the pools that this process has at the moment.
var pools = newSlots()

func newStarter(cfg Config) (starter, error) {
	cfg.index = pools.get()
	cfg.ICUData = cfg.icuDirectory(context.Background())
	s := &spawner{cfg: cfg, thread: newCommandThread(), slots: newSlots()}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// prepare makes what the tier of isolation asks for.
func (s *spawner) prepare() (err error) {
	if s.cfg.Isolation == IsolationNone {
		return s.chooseLauncher()
	}
	if s.groups, err = newGroups(&s.cfg); err != nil {
		return err
	}
	if s.cfg.Isolation == IsolationStrict {
		if s.jailer, err = newJailer(context.Background(), &s.cfg); err != nil {
			return err
		}
	}
	return s.chooseLauncher()
}

// chooseLauncher forks workers where the fork server's addon has been built, and starts them directly otherwise.
func (s *spawner) chooseLauncher() error {
	_, err := os.Stat(addonPath(s.cfg.Runner))
	s.forks = err == nil
	filters, err := s.jailer.filters(s.forks)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	init, err := initFrame(&s.cfg, filters, s.jailer != nil)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if s.forks {
		part := s.jailer.zygotePart(filters)
		s.launcher = &forkLauncher{cfg: &s.cfg, init: init, jailer: s.jailer, part: part, thread: s.thread}
	} else {
		s.launcher = &directLauncher{cfg: &s.cfg, init: init, jailer: s.jailer, filter: filters.start, thread: s.thread}
	}
	return nil
}

// memory implements memoryTeller.
func (s *spawner) memory() (MemoryUsage, bool) {
	if s.groups == nil {
		return MemoryUsage{}, false
	}
	usage, err := s.groups.tree.Memory()
	return MemoryUsage(usage), err == nil
}

// memoryLeft implements roomTeller.
func (s *spawner) memoryLeft() (int64, bool) {
	if s.groups == nil {
		return 0, false
	}
	used, err := s.groups.tree.Used()
	if err != nil {
		return 0, false
	}
	left := s.cfg.Memory - used
	if _, available := MachineMemory(); available > 0 {
		left = min(left, available)
	}
	return left, true
}

// settled implements settler.
func (s *spawner) settled() bool {
	launcher, ok := s.launcher.(settler)
	return !ok || launcher.settled()
}

func (s *spawner) describe() string {
	if s.groups == nil {
		return "none: workers are plain processes without limits"
	}
	l := s.cfg.Limits
	text := fmt.Sprintf("%s: cgroup v%d with %d MiB of memory, %v CPU and %d tasks for each worker",
		s.cfg.Isolation, s.groups.tree.Version(), l.Memory>>20, l.CPU, l.PIDs)
	if s.jailer != nil {
		text += ", namespaces, a read-only root, a system-call filter"
	}
	return text
}

func (s *spawner) close() error {
	var errs []error
	if s.launcher != nil {
		errs = append(errs, s.launcher.close())
	}
	close(s.thread)
	if s.groups != nil {
		errs = append(errs, s.groups.close())
	}
	if s.jailer != nil && s.jailer.held != nil {
		errs = append(errs, s.jailer.held.Close())
	}
	pools.put(s.cfg.index)
	return errors.Join(errs...)
}

// start implements starter.
func (s *spawner) start(ctx context.Context) (child, error) {
	p, err := s.spawnReady(ctx)
	if err != nil && ctx.Err() == nil && s.launcher.again() {
		p, err = s.spawnReady(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: start worker: %w", err)
	}
	if err := s.firstLook(p); err != nil {
		p.kill(ReasonClosed)
		p.obituary()
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return p, nil
}

// spawnReady makes a process and returns when it is ready for a call.
func (s *spawner) spawnReady(ctx context.Context) (*process, error) {
	p, err := s.spawn(ctx)
	if err == nil {
		err = p.handshake(ctx, s.launcher.greeting())
	}
	return p, err
}

// spawn makes the process, moves it into its control group and starts the goroutine that waits for its end.
func (s *spawner) spawn(ctx context.Context) (*process, error) {
	pipes, err := newPipes()
	if err != nil {
		return nil, err
	}
	slot := s.slots.get()
	handle, err := s.launcher.launch(ctx, slot, pipes.childStdin, pipes.childStdout, pipes.childStderr)
	err = errors.Join(err, pipes.closeChild())
	if err != nil {
		s.slots.put(slot)
		return nil, errors.Join(err, pipes.closeParent())
	}
	p := &process{
		cfg: &s.cfg, handle: handle, stdin: pipes.stdin, stdout: pipes.stdout,
		frames: wire.NewReader(pipes.stdout, s.cfg.Limits.wire()), reaped: make(chan struct{}),
	}
	group, err := s.place(slot, p)
	go s.await(p, slot, group, pipes)
	if err != nil {
		p.kill(ReasonClosed)
		return nil, errors.Join(err, p.obituary())
	}
	return p, nil
}

// place moves a new process into a control group. It has one thread as yet, so that the move is cheap, and nothing of a function runs
// before the handshake.
func (s *spawner) place(slot int, p *process) (*slotGroup, error) {
	if s.groups == nil {
		return nil, nil //nolint:nilnil // no limits asked for
	}
	group, err := s.groups.of(slot)
	if err != nil {
		return nil, err
	}
	p.used = group.Used
	p.setWeight = func(weight int) { group.weigh(p, weight) }
	return group, errors.Join(group.give(p), group.Add(p.handle.pid()))
}

// await is the only waiter of p: it learns the cause of its death, then cleans up.
func (s *spawner) await(p *process, slot int, group *slotGroup, pipes *pipes) {
	status, peak := p.handle.wait()
	now := time.Now()
	// The counter costs more to read than a worker to fork: only a SIGKILL that may not be ours asks for it.
	killed := status.Signaled() && status.Signal() == syscall.SIGKILL && !p.planned()
	var outOfMemory Reason
	if group != nil && killed {
		outOfMemory = group.outOfMemory()
	}
	s.slots.put(slot)
	stderr, unread := pipes.lastWords(), pipes.unread()
	p.mu.Lock()
	p.unread = unread
	p.death = classify(p.reason, status, outOfMemory, stderr)
	if !p.deadline.IsZero() {
		p.death.Lag = now.Sub(p.deadline)
	}
	death := *p.death
	p.mu.Unlock()
	p.releasePipes(func() { _ = pipes.closeParent() }) // only memory is lost if a close fails
	p.cfg.Observer.WorkerDied(death.Reason, death.Lag)
	if peak > 0 {
		p.cfg.Observer.WorkerUsed(peak)
	}
	close(p.reaped)
}

// planned says whether we killed p for a reason that is no failure.
func (p *process) planned() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.reason {
	case ReasonRetired, ReasonEvicted, ReasonIdle, ReasonClosed:
		return true
	default:
		return false
	}
}

// heapTexts are what V8 writes to stderr when its own heap is full.
var heapTexts = []string{"JavaScript heap out of memory", "Fatal process out of memory", "invalid array length Allocation failed"}

// exitRetired is the exit code of a worker that has answered and cannot serve another call (RETIRED in runner-js/frame.js).
const exitRetired = 10

// classify finds the reason of a death; the kernel's evidence takes precedence over our own intent, which is empty when we did not kill.
func classify(intent Reason, status syscall.WaitStatus, outOfMemory Reason, stderr string) *DeathError {
	death := &DeathError{Reason: intent, ExitCode: status.ExitStatus(), Detail: lastWords(stderr)}
	if status.Signaled() {
		death.Signal = unix.SignalName(status.Signal())
	}
	switch {
	case outOfMemory != "":
		death.Reason = outOfMemory
	case intent != "":
	case slices.ContainsFunc(heapTexts, func(text string) bool { return strings.Contains(stderr, text) }):
		death.Reason = ReasonHeap
	case status.Signaled() && status.Signal() == syscall.SIGSYS:
		death.Reason = ReasonSyscall
	case status.Signaled():
		death.Reason = ReasonSignal
	case status.ExitStatus() == exitRetired:
		death.Reason = ReasonRetired
	default:
		death.Reason = ReasonExit
	}
	return death
}

// cpuTime is the CPU time that the process has used, by the clock of clock_getcpuclockid(3).
func cpuTime(pid int) time.Duration {
	const schedClock = 2 // CPUCLOCK_SCHED of the kernel's posix-timers_types.h
	var ts unix.Timespec
	if err := unix.ClockGettime(^int32(pid)<<3|schedClock, &ts); err != nil { //nolint:gosec // a PID fits
		return 0 // it is dead
	}
	return time.Duration(ts.Nano())
}

// commandOf is the name of the process, as it may set it itself (prctl(2), PR_SET_NAME); empty when it is not to be had.
func commandOf(pid int) string {
	name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(name), "\n")
}

// pipes are the three pipes of a process.
type pipes struct {
	stdin, stdout, stderr                *os.File
	childStdin, childStdout, childStderr *os.File
}

func newPipes() (*pipes, error) {
	p := new(pipes)
	var errs [3]error
	p.childStdin, p.stdin, errs[0] = os.Pipe()
	p.stdout, p.childStdout, errs[1] = os.Pipe()
	p.stderr, p.childStderr, errs[2] = os.Pipe()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, p.closeChild(), p.closeParent())
	}
	return p, nil
}

func (p *pipes) closeChild() error  { return closeAll(p.childStdin, p.childStdout, p.childStderr) }
func (p *pipes) closeParent() error { return closeAll(p.stdin, p.stdout, p.stderr) }

// unread is how many bytes stand in the pipe to the stdin of the dead process, -1 when that cannot be learnt (FIONREAD, which is TIOCINQ; for
// pipes it works on both ends).
func (p *pipes) unread() int {
	unread := -1
	if conn, err := p.stdin.SyscallConn(); err == nil {
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
