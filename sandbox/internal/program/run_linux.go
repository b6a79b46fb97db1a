package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/jail"
)

// Run runs the program with stdin until it ends, reaches a limit, or ctx ends; then its error wraps the cause of ctx.
// Other errors mean that the program could not be started.
func (r *Runner) Run(ctx context.Context, stdin io.Reader) (*Result, error) {
	s, err := r.take()
	if err != nil {
		return nil, fmt.Errorf("sandbox: run %s: %w", r.cfg.Name, err)
	}
	defer r.put(s)
	out, stop := &limited{most: r.cfg.Limits.Output}, make(chan End, 1)
	out.full = func() { note(stop, Output) }
	words := &limited{most: maxStderr}
	p, err := r.spawn(s, out, words)
	if err != nil {
		return nil, fmt.Errorf("sandbox: run %s: %w", r.cfg.Name, err)
	}
	defer p.clean()
	end := p.await(ctx, stdin, stop, r.cfg.Limits.Time)
	result := &Result{
		Stdout: out.kept, Stderr: string(words.kept),
		ExitCode: p.cmd.ProcessState.ExitCode(),
		CPUTime:  p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(),
	}
	if ctx.Err() != nil && end == "" {
		return nil, fmt.Errorf("sandbox: run %s: %w", r.cfg.Name, context.Cause(ctx))
	}
	result.End = r.classify(s, p.cmd, end, result.CPUTime)
	if r.jailer != nil && result.End == Exit && result.ExitCode == jail.ExitFailed {
		return nil, fmt.Errorf("sandbox: run %s: %s", r.cfg.Name, strings.TrimSpace(result.Stderr))
	}
	return result, nil
}

// note leaves an end for await, if there is none yet.
func note(stop chan End, end End) {
	select {
	case stop <- end:
	default:
	}
}

// process is a program that runs.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	clean func()
}

// spawn starts the program and puts it into its cgroup. It has read nothing yet.
func (r *Runner) spawn(s *slot, out, words io.Writer) (*process, error) {
	cmd := &exec.Cmd{Path: r.cfg.Path, Args: r.cfg.Args, Dir: "/", Stdout: out, Stderr: words}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, stdin: stdin, clean: func() {}}
	release := func() {}
	if r.jailer != nil {
		release, err = r.jailer.wrap(cmd, s.number)
	} else {
		err = p.makeTmp()
	}
	if err == nil {
		err = r.startCommand(cmd)
	}
	release()
	if err != nil {
		p.clean()
		return nil, errors.Join(err, stdin.Close())
	}
	if err := r.bound(s, cmd.Process.Pid); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // the error below is the cause
		p.clean()
		return nil, err
	}
	return p, nil
}

// makeTmp makes a directory for the files of a program without a jail.
func (p *process) makeTmp() error {
	dir, err := os.MkdirTemp("", "functions-")
	if err != nil {
		return err
	}
	p.cmd.Env = environment(dir)
	p.clean = func() { _ = os.RemoveAll(dir) } // what stays is in the way of nothing
	return nil
}

// environment is all that a program gets; what it makes belongs below dir.
func environment(dir string) []string { return []string{"TMPDIR=" + dir} }

// bound puts a process into its cgroup and, without a jail, under its other limits.
func (r *Runner) bound(s *slot, pid int) error {
	if s.group != nil {
		if err := s.group.Add(pid); err != nil {
			return err
		}
	}
	if r.jailer != nil {
		return nil
	}
	limits := r.cfg.Limits.resources()
	if s.group == nil {
		limits[unix.RLIMIT_DATA] = uint64(r.cfg.Limits.Memory)
	}
	for resource, value := range limits {
		if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: value, Max: value}, nil); err != nil {
			return fmt.Errorf("resource limit %d: %w", resource, err)
		}
	}
	return nil
}

// resources are the limits on resources, by number: setrlimit(2).
func (l *Limits) resources() map[int]uint64 {
	const files = 256
	return map[int]uint64{
		unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: files,
		unix.RLIMIT_CPU:   uint64(max(l.CPUTime.Round(time.Second), time.Second) / time.Second),
		unix.RLIMIT_FSIZE: uint64(l.Tmp),
	}
}

// await gives the program its input and returns when it has ended: with the reason if it was ended here.
func (p *process) await(ctx context.Context, stdin io.Reader, stop <-chan End, limit time.Duration) (why End) {
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		_, _ = io.Copy(p.stdin, stdin) // a program that has ended reads no more
		_ = p.stdin.Close()
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.cmd.Wait() // the state tells more
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
	case why = <-stop:
	case <-timer.C:
		why = Time
	case <-ctx.Done():
	}
	_ = p.cmd.Process.Kill() // that it has ended already is as good
	<-ended
	_ = p.stdin.Close()
	<-fed
	if why == "" && len(stop) > 0 {
		why = <-stop
	}
	return why
}

// classify finds how a run has ended; the kernel's evidence takes precedence.
func (r *Runner) classify(s *slot, cmd *exec.Cmd, why End, used time.Duration) End {
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		if end, ok := s.outOfMemory(); ok {
			return end
		}
	}
	switch {
	case why != "":
		return why
	case status.Signaled() && used >= r.cfg.Limits.CPUTime-time.Second/2:
		return Time
	case status.Signaled():
		return Signal
	case status.ExitStatus() != 0:
		return Exit
	}
	return Done
}
