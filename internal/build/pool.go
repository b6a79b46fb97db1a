package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/backstage/functions/internal/build/bundle"
	"github.com/backstage/functions/sandbox"
)

// Pool is the Builder. Its builds have processes of their own and take nothing of the pool of workers.
type Pool struct {
	cfg     Config
	program *sandbox.Program
	queue   *queue

	mu     sync.Mutex // guards closed
	closed bool
	builds sync.WaitGroup
}

var _ Builder = (*Pool)(nil)

// Bounds on what a build holds.
const (
	// maxTmp is the room for files of a build, in bytes, maxTmpFiles how many files and directories it may have.
	maxTmp, maxTmpFiles = 192 << 20, 60_000
	// maxUnpacked is how much of maxTmp is for packages.
	maxUnpacked = 160 << 20
	// maxThreads is enough for the Go runtime.
	maxThreads = 64
)

// New makes a Pool. It fails where the host does not give the isolation that is asked for. Close must be called.
func New(cfg Config) (*Pool, error) {
	if cfg.Concurrency < 1 || cfg.Queue < 0 || cfg.Memory < 64<<20 || cfg.Timeout < time.Second || cfg.MaxCode < 1 {
		return nil, fmt.Errorf("build: config out of bounds: %d at once, a queue of %d, %d bytes of memory, %v, %d of code",
			cfg.Concurrency, cfg.Queue, cfg.Memory, cfg.Timeout, cfg.MaxCode)
	}
	program, err := sandbox.NewProgram(sandbox.ProgramConfig{
		Name: "builds", Path: cmp.Or(cfg.program, "/proc/self/exe"), Args: []string{bundle.ChildName},
		Isolation: cfg.Isolation,
		Limits: sandbox.ProgramLimits{
			Memory: cfg.Memory, CPU: 1, PIDs: maxThreads, Tmp: min(maxTmp, cfg.Memory/2), TmpFiles: maxTmpFiles,
			CPUTime: cfg.Timeout, Time: 3 * cfg.Timeout, Output: bundle.MaxHead + 6*cfg.MaxCode,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	return &Pool{cfg: cfg, program: program, queue: newQueue(cfg.Concurrency, cfg.Queue)}, nil
}

// Build implements Builder.
func (p *Pool) Build(ctx context.Context, in Input) (Output, error) {
	began := time.Now()
	out, err := p.build(ctx, &in)
	if p.cfg.Observer != nil {
		p.cfg.Observer(resultOf(ctx, err), time.Since(began))
	}
	return out, err
}

func (p *Pool) build(ctx context.Context, in *Input) (Output, error) {
	if err := p.enter(); err != nil {
		return Output{}, err
	}
	defer p.builds.Done()
	leave, err := p.queue.enter(ctx, in.Owner, p.cfg.QueueTimeout)
	if err != nil {
		return Output{}, err
	}
	defer leave()
	return p.run(ctx, in)
}

// errClosed means that the server stops.
var errClosed = errors.New("build: closed")

// enter counts a build that begins, unless Close was called.
func (p *Pool) enter() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.builds.Add(1)
	return nil
}

// Close waits for the builds under way and removes what New has made. Later builds fail. It may be called again.
func (p *Pool) Close() error {
	p.mu.Lock()
	again := p.closed
	p.closed = true
	p.mu.Unlock()
	p.builds.Wait()
	if again {
		return nil
	}
	return p.program.Close()
}

// resultOf names the result of a build.
func resultOf(ctx context.Context, err error) Result {
	var fault *Error
	switch {
	case err == nil:
		return ResultDone
	case errors.As(err, &fault):
		return ResultFault
	case errors.Is(err, ErrTooLarge):
		return ResultTooLarge
	case errors.Is(err, ErrTimeout):
		return ResultTimeout
	case errors.Is(err, ErrBusy):
		return ResultBusy
	case ctx.Err() != nil:
		return ResultCanceled
	}
	return ResultFailed
}
