package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/backstage/functions/sandbox/internal/program"
)

// ProgramConfig configures a Program. Every field is needed; ProgramLimits has no defaults.
type ProgramConfig struct {
	// Name is what its cgroups are called, in letters: no other Program of this process has it.
	Name string
	// Path is the program. It is written in Go or is as modest: it reads its standard input, writes to its standard output
	// and error, and keeps files below the directory that TMPDIR names, its only variable. /proc/self/exe is this very
	// program.
	Path string
	// Args are its arguments, the first one is its name.
	Args []string
	// Isolation is the tier, as for workers: under IsolationStrict a run has namespaces, no network, a read-only root of
	// its own that holds the program alone, an unprivileged user, and a system-call filter; under IsolationProcess a
	// cgroup; under IsolationNone what a process can be limited to.
	Isolation Isolation
	Limits    ProgramLimits
}

// ProgramLimits bound one run.
type ProgramLimits struct {
	// Memory in bytes, swap and files included; CPU in processors; PIDs in threads.
	Memory int64
	CPU    float64
	PIDs   int64
	// Tmp and TmpFiles bound its files under IsolationStrict, in bytes and by their number, directories included. Under
	// the other tiers no file is larger than Tmp, and nothing counts them.
	Tmp      int64
	TmpFiles int
	// CPUTime is what it may take of processors, in whole seconds, and Time what it may take by the wall clock.
	CPUTime, Time time.Duration
	// Output is the most that it may write to its standard output, in bytes.
	Output int
}

// ProgramEnd is how a run has ended.
type ProgramEnd = program.End

// The ends of runs.
const (
	// ProgramDone: with exit code 0.
	ProgramDone ProgramEnd = program.Done
	// ProgramExit: with another exit code.
	ProgramExit ProgramEnd = program.Exit
	// ProgramSignal: by a signal, such as that of a refused system call.
	ProgramSignal ProgramEnd = program.Signal
	// ProgramMemory: killed at its limit on memory.
	ProgramMemory ProgramEnd = program.Memory
	// ProgramServerMemory: killed below that limit, because the machine had no more.
	ProgramServerMemory ProgramEnd = program.ServerMemory
	// ProgramTime: killed at one of its limits on time.
	ProgramTime ProgramEnd = program.Time
	// ProgramOutput: killed because it wrote too much.
	ProgramOutput ProgramEnd = program.Output
)

// ProgramResult is what a run has left: how it ended, its output up to the limit, the first 16 KiB of its standard
// error, and the processor time that it took.
type ProgramResult = program.Result

// Program runs a program that reads input which nobody has checked: a compiler, a converter. Each run is a process of
// its own, behind the layers that workers have. It is safe for concurrent use.
type Program struct{ runner *program.Runner }

// NewProgram prepares runs of a program. What the host cannot give is ErrUnsupported or names what is missing. Close
// must be called when no run is under way any more.
func NewProgram(cfg ProgramConfig) (*Program, error) {
	switch cfg.Isolation {
	case IsolationStrict, IsolationProcess, IsolationNone:
	default:
		return nil, fmt.Errorf("sandbox: config: Isolation %q is not strict, process or none", cfg.Isolation)
	}
	runner, err := program.New(program.Config{
		Name: cfg.Name, Path: cfg.Path, Args: cfg.Args, Limits: program.Limits(cfg.Limits),
		Groups: cfg.Isolation != IsolationNone, Jail: cfg.Isolation == IsolationStrict,
	})
	if errors.Is(err, program.ErrUnsupported) {
		err = ErrUnsupported
	}
	if err != nil {
		return nil, err
	}
	return &Program{runner}, nil
}

// Run runs the program with stdin, whose reads must not block, until it ends or reaches a limit. When ctx ends the
// program is killed, and the error wraps the cause of ctx. Other errors mean that it could not be started.
func (p *Program) Run(ctx context.Context, stdin io.Reader) (*ProgramResult, error) {
	return p.runner.Run(ctx, stdin)
}

// Close removes what NewProgram and the runs have made.
func (p *Program) Close() error { return p.runner.Close() }
