package migration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// loadTimeout is the longest time to load modules; a worker has as long to start.
const loadTimeout = 30 * time.Second

// Loader loads modules as the workers of a runtime do at their start, in a process of its own.
type Loader struct {
	// Binary is the path of Node.js, Script that of the runner's loadmodules.js.
	Binary, Script string
	// User is the ID of the user and the group to load them as, where the system allows it; 0 for those of this process.
	User uint32
	// Timeout is the longest time to load modules; zero stands for 30 seconds.
	Timeout time.Duration
}

// ModuleFault is why modules cannot be loaded.
type ModuleFault struct {
	// Module is empty if only all of them together have it.
	Module, Cause string
	// Fatal says that no worker starts with it.
	Fatal bool
}

// Faults are those of modules that cannot be loaded from dir, empty for none, nor beside the runner.
func (l *Loader) Faults(ctx context.Context, modules []string, dir string) ([]ModuleFault, error) {
	if len(modules) == 0 {
		return nil, nil
	}
	missing, broken, err := l.load(ctx, modules, dir)
	if err != nil || broken == "" {
		return missing, err
	}
	if len(modules) == 1 {
		return []ModuleFault{{Module: modules[0], Cause: broken, Fatal: true}}, nil
	}
	fatal := false
	var faults []ModuleFault
	for _, module := range modules {
		found, err := l.Faults(ctx, []string{module}, dir)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			fatal = fatal || f.Fatal
		}
		faults = append(faults, found...)
	}
	if !fatal {
		faults = append(faults, ModuleFault{Cause: broken, Fatal: true})
	}
	return faults, nil
}

// load loads modules in one process. Broken is how that ended if it did not tell.
func (l *Loader) load(ctx context.Context, modules []string, dir string) (
	missing []ModuleFault, broken string, err error,
) {
	question, err := json.Marshal(map[string]any{"modules": modules, "dir": dir})
	if err != nil {
		return nil, "", err
	}
	limit := l.Timeout
	if limit == 0 {
		limit = loadTimeout
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	text, errorText, err := l.output(limited, l.User, question)
	if l.User != 0 && (errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EPERM)) {
		text, errorText, err = l.output(limited, 0, question) // this user namespace has no such user
	}
	if ctx.Err() != nil {
		return nil, "", context.Cause(ctx)
	}
	if limited.Err() != nil {
		return nil, fmt.Sprintf("it is not loaded within %v", limit), nil
	}
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		why := err.Error()
		if thrown := errorLine.Find(errorText); thrown != nil { // after it was loaded
			why = string(thrown)
		}
		return nil, fmt.Sprintf("it ends the process that loads it (%s)", why), nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("start Node.js: %w", err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n")) // the last is the answer; programs that ran may have printed
	var answer struct{ Missing []string }
	if json.Unmarshal(lines[len(lines)-1], &answer) != nil {
		return nil, "it ends the process that loads it", nil
	}
	for _, line := range answer.Missing {
		module, cause, _ := strings.Cut(line, ": ")
		missing = append(missing, ModuleFault{Module: module, Cause: cause})
	}
	return missing, "", nil
}

// errorLine is the line of an error that nobody has caught, above its stack.
var errorLine = regexp.MustCompile(`(?m)^\w*Error: .*`)

// output is what Node.js prints when it loads modules as a user.
func (l *Loader) output(ctx context.Context, user uint32, question []byte) (text, errorText []byte, err error) {
	runtime.LockOSThread() // with which the process ends, whatever ends this one
	defer runtime.UnlockOSThread()
	// The flags are those of workers that matter to modules.
	cmd := exec.CommandContext(ctx, l.Binary, "--expose-internals", "--zero-fill-buffers", "--v8-pool-size=0",
		"--single-threaded", "--max-old-space-size=512", l.Script)
	cmd.Env, cmd.Dir, cmd.Stdin = []string{}, "/", bytes.NewReader(question)
	// With a group of its own, what a module has started ends, too, unless that has left the group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ofThread(cmd.SysProcAttr)
	if user != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: user, Gid: user}
	}
	kill := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = kill
	cmd.WaitDelay = time.Second // what has left the group may hold the output
	var printed, told end
	cmd.Stdout, cmd.Stderr = &printed, &told
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	err = cmd.Wait()
	_ = kill() // there may be nobody left
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return printed, told, err
}

// mostPrinted is how many bytes are kept of what is printed: the answer comes last.
const mostPrinted = 1 << 20

// end is the last of what was written.
type end []byte

func (e *end) Write(text []byte) (int, error) {
	if *e = append(*e, text...); len(*e) > 2*mostPrinted {
		*e = append((*e)[:0], (*e)[len(*e)-mostPrinted:]...)
	}
	return len(text), nil
}
