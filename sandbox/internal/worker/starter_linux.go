package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/backstage/functions/sandbox/internal/rollback"
)

// Starter makes workers: a cgroup, three pipes and a process for each. It is safe for concurrent use.
type Starter struct {
	cfg      Config
	slots    *slots
	groups   *groups // nil without limits
	jailer   *jailer // nil without namespaces
	launcher launcher
	forks    bool
	thread   commandThread
	pages    rollback.Store // of the snapshots of all workers

	reporting sync.Mutex // guards reported
	reported  Report     // of the first worker
}

// pools are the indexes of the pools that this process has at the moment.
var pools = newSlots()

// New prepares what the tier of isolation asks for: cgroups, users, a root and system-call filters. Close must
// be called.
func New(cfg Config) (*Starter, error) {
	cfg.index = pools.get()
	cfg.ICUData = cfg.icuDirectory(context.Background())
	s := &Starter{cfg: cfg, thread: newCommandThread(), slots: newSlots()}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare makes what the tier of isolation asks for.
func (s *Starter) prepare() (err error) {
	if s.cfg.Isolation == None {
		return s.chooseLauncher()
	}
	if s.groups, err = newGroups(&s.cfg); err != nil {
		return err
	}
	if s.cfg.Isolation == Strict {
		if s.jailer, err = newJailer(context.Background(), &s.cfg); err != nil {
			return err
		}
	}
	return s.chooseLauncher()
}

// chooseLauncher forks workers where the fork server's addon has been built, and starts them directly otherwise.
func (s *Starter) chooseLauncher() error {
	s.forks = built(zygoteAddon(s.cfg.Runner)) == nil
	if err := s.checkRollback(); err != nil {
		return err
	}
	if s.cfg.Rollback && s.jailer == nil {
		if err := s.thread.refuseRings(); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	filters, err := s.jailer.filters(s.forks)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	first, err := initFrame(&s.cfg, filters, s.jailer != nil)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if s.forks {
		zygote := s.jailer.zygoteRole(filters)
		launcher := &forkLauncher{cfg: &s.cfg, init: first, jailer: s.jailer, role: zygote, thread: s.thread}
		launcher.careful.Store(s.cfg.Rollback) // each call of the first worker, too, starts from what its snapshot has
		s.launcher = launcher
	} else {
		s.launcher = &directLauncher{cfg: &s.cfg, init: first, jailer: s.jailer, filter: filters.start, thread: s.thread}
	}
	return nil
}

// Memory is what the workers of all starters of this process use; false says that nothing counts it, as without control
// groups.
func (s *Starter) Memory() (MemoryUsage, bool) {
	if s.groups == nil {
		return MemoryUsage{}, false
	}
	usage, err := s.groups.tree.Memory()
	return MemoryUsage(usage), err == nil
}

// MemoryLeft is how much memory is left for workers, in bytes; false says that this cannot be learnt.
func (s *Starter) MemoryLeft() (int64, bool) {
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

// Settled says whether the preparations that follow the first start, and that the next one waits for, are over.
func (s *Starter) Settled() bool {
	launcher, forks := s.launcher.(*forkLauncher)
	return !forks || launcher.settledOnce.Load()
}

// Restarts says whether the fork server has ended and another one is being started.
func (s *Starter) Restarts() bool {
	launcher, forks := s.launcher.(*forkLauncher)
	return forks && launcher.restarts.Load()
}

// Describe says in a few words what stands around a worker.
func (s *Starter) Describe() string {
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

// Close ends what Start has left: the fork server, and with it the workers that live. It removes their cgroups.
func (s *Starter) Close() error {
	var errs []error
	if s.launcher != nil {
		errs = append(errs, s.launcher.close())
	}
	close(s.thread)
	if s.groups != nil {
		errs = append(errs, s.groups.close())
	}
	if s.jailer != nil && s.jailer.claim != nil {
		errs = append(errs, s.jailer.claim.Close())
	}
	pools.put(s.cfg.index)
	return errors.Join(errs...)
}
