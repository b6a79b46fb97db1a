package worker

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"github.com/backstage/functions/sandbox/internal/jail"
	"github.com/backstage/functions/sandbox/internal/rollback"
	"github.com/backstage/functions/sandbox/internal/wire"
)

// launcher makes the processes of workers.
type launcher interface {
	// launch makes a process for a slot, with the given ends of pipes as its descriptors 0, 1 and 2. No two living
	// processes have the same slot.
	// One that is to be rolled back gets tracked, which is nil for others.
	launch(ctx context.Context, slot int, stdin, stdout, stderr *os.File, tracked *rollback.Handover) (handle, error)
	// first is what a new process must read before it becomes ready, once it is in its cgroup.
	first() []byte
	// retryStart says, after a start that failed, whether that may be for a cause which another start would tell. It does
	// so once for each.
	retryStart() bool
	close() error
}

// commandThread runs the starts of processes on one thread that stays: PR_SET_PDEATHSIG (prctl(2)) makes a process die
// with the *thread* that is its parent.
type commandThread chan func()

func newCommandThread() commandThread {
	starts := make(commandThread)
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
	return starts
}

// filter lays a system-call filter, an array of struct sock_filter, over all that is started from now on.
func (t commandThread) filter(program []byte) error {
	done := make(chan error, 1)
	t <- func() { done <- jail.Filter(program) }
	return <-done
}

func (t commandThread) start(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	t <- func() { done <- cmd.Start() }
	return <-done
}

// icuFlag comes before the directory with ICU's data.
const icuFlag = "--icu-data-dir="

// nodeCommand is Node.js running the runner. Its flags keep it small and, but for one idle thread, single-threaded, as
// a fork needs it; V8's heap gets what the memory limit leaves beside Node.js itself, and at least twice what the
// runner and its modules fill.
func nodeCommand(cfg *Config, args ...string) *exec.Cmd {
	heap := max(cfg.Limits.Memory>>20-56, 32)
	flags := []string{
		"--expose-internals",  // to the runner: whether timers are left (runner-js/internals.js)
		"--zero-fill-buffers", // or memory that was freed could show what an earlier call has left there
		"--v8-pool-size=0", "--single-threaded", "--max-semi-space-size=4",
		"--max-old-space-size=" + strconv.FormatInt(heap, 10),
		// Eight seconds after a collection V8 would begin another one, to give memory back. In a fork it writes to most of
		// the pages that it shares, so it takes more than it gives back; those that were forked in one burst would do so at
		// the same time.
		"--no-memory-reducer",
	}
	if cfg.ICUData != "" {
		flags = append(flags, icuFlag+cfg.ICUData)
	}
	flags = append(flags, cfg.Runner)
	cmd := exec.Command(cfg.Node, append(flags, args...)...)
	cmd.Env = zoneEnvironment(cfg, filepath.Dir(cfg.Runner))
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

func initFrame(cfg *Config, f filters, jailed bool) ([]byte, error) {
	modules, tmp := cfg.ModulesDir, int64(0)
	if jailed {
		tmp = cfg.Limits.Tmp
	}
	if modules != "" && jailed {
		modules = jailModules
	}
	return wire.AppendInit(nil, wire.Init{
		ModulesDir: modules, Tmp: tmp,
		Filter: f.worker, ZygoteFilter: f.zygote, Egress: cfg.Egress.frame(jailed),
		Modules: cfg.Modules, Env: cfg.Env, Web: cfg.Web, Fetch: cfg.Fetch, Rollback: cfg.Rollback,
		Timeout:  cfg.Timeouts.Async.Milliseconds(),
		MaxFrame: cfg.Limits.Frame, MaxAnswer: cfg.Limits.Answer, MaxLogs: cfg.Limits.Logs,
	})
}

// directLauncher starts Node.js anew for every worker.
type directLauncher struct {
	cfg    *Config
	init   []byte
	jailer *jailer // nil without namespaces
	filter []byte
	thread commandThread
}

func (d *directLauncher) launch(
	_ context.Context, slot int, stdin, stdout, stderr *os.File, _ *rollback.Handover,
) (handle, error) {
	cmd := nodeCommand(d.cfg)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	worker := role{uid: d.jailer.workerID(slot), filter: d.filter, tmp: d.cfg.Limits.Tmp}
	if err := d.thread.startJailed(cmd, d.jailer, worker); err != nil {
		return nil, err
	}
	return command{cmd}, nil
}

func (d *directLauncher) first() []byte { return d.init }

func (d *directLauncher) retryStart() bool { return false }

func (d *directLauncher) close() error { return nil }

// command is a process that we started ourselves.
type command struct{ *exec.Cmd }

func (c command) pid() int { return c.Process.Pid }

// kill kills by pidfd, which hits no other process. That it has ended already is as good.
func (c command) kill() { _ = c.Process.Kill() }

// wait knows of no peak: execve(2) hands the one of the memory before it on, and that was ours (ru_maxrss in
// getrusage(2)).
func (c command) wait() (syscall.WaitStatus, resources) {
	_ = c.Wait() // the state tells more
	state := c.ProcessState
	return state.Sys().(syscall.WaitStatus), resources{cpu: state.UserTime() + state.SystemTime()}
}
