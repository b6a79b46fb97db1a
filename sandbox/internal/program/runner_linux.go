package program

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"sync"

	"github.com/backstage/functions/sandbox/internal/cgroup"
)

// Runner runs a program. It is safe for concurrent use.
type Runner struct {
	cfg    Config
	tree   cgroup.Tree // nil without cgroups
	jailer *jailer     // nil without namespaces
	starts chan func()

	mu    sync.Mutex // guards the fields below
	slots []*slot
}

// slot is a place for one run at a time.
type slot struct {
	number int
	taken  bool
	group  cgroup.Group // nil without cgroups
	kills  uint64       // that were counted before
}

// New prepares runs of a program. Close must be called when none is under way any more.
func New(cfg Config) (*Runner, error) {
	r := &Runner{cfg: cfg, starts: make(chan func())}
	go r.start()
	err := r.prepare()
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Runner) prepare() (err error) {
	if r.cfg.Groups {
		if r.tree, err = cgroup.NewBeside(r.cfg.Name); err != nil {
			return fmt.Errorf("sandbox: limits on %s need cgroups: %w", r.cfg.Name, err)
		}
	}
	if r.cfg.Jail {
		r.jailer, err = newJailer(context.Background(), &r.cfg)
	}
	return err
}

// start runs the starts of processes on one thread that stays: PR_SET_PDEATHSIG (prctl(2)) makes a process die with the
// thread that is its parent.
func (r *Runner) start() {
	runtime.LockOSThread()
	for start := range r.starts {
		start()
	}
}

// startCommand starts cmd on that thread.
func (r *Runner) startCommand(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	r.starts <- func() { done <- cmd.Start() }
	return <-done
}

// take takes a slot with a cgroup that remembers nothing of the run before.
func (r *Runner) take() (*slot, error) {
	s := r.freeSlot()
	if r.tree == nil {
		return s, nil
	}
	var err error
	if s.group == nil {
		limits := cgroup.Limits{Memory: r.cfg.Limits.Memory, CPU: r.cfg.Limits.CPU, PIDs: r.cfg.Limits.PIDs}
		s.group, err = r.tree.Group(fmt.Sprintf("slot-%d", s.number), limits)
	}
	if err == nil {
		err = s.group.Renew()
	}
	if err != nil {
		r.put(s)
		return nil, err
	}
	return s, nil
}

// freeSlot takes the first slot that is free.
func (r *Runner) freeSlot() *slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.slots, func(s *slot) bool { return !s.taken })
	if i < 0 {
		i = len(r.slots)
		r.slots = append(r.slots, &slot{number: i})
	}
	r.slots[i].taken = true
	return r.slots[i]
}

func (r *Runner) put(s *slot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.taken = false
}

// Close removes what New and the runs have made.
func (r *Runner) Close() error {
	close(r.starts)
	var errs []error
	for _, s := range r.slots {
		if s.group != nil {
			errs = append(errs, s.group.Remove())
		}
	}
	if r.tree != nil {
		errs = append(errs, r.tree.Close())
	}
	if r.jailer != nil && r.jailer.claim != nil {
		errs = append(errs, r.jailer.claim.Close())
	}
	return errors.Join(errs...)
}

// outOfMemory says whether the kernel has killed the slot's run for lack of memory, and at which limit. What cannot be
// read counts as no.
func (s *slot) outOfMemory() (End, bool) {
	if s.group == nil {
		return "", false
	}
	kills, err := s.group.OOMKills()
	if err != nil || kills == s.kills {
		return "", false
	}
	s.kills = kills
	if own, err := s.group.ReachedLimit(); err == nil && !own {
		return ServerMemory, true
	}
	return Memory, true
}
