package sandbox

import "errors"

// RuntimeSnapshot is what was asked for the workers of one runtime, what it obtained and what happens in it at one
// moment. As JSON it is for people to read.
type RuntimeSnapshot struct {
	// Runtime says which it is.
	Runtime Runtime `json:"-"`
	// Report was made when the first worker was ready.
	Report
	// Start says how workers start: forked, or directly and why.
	Start StartMethod `json:"start"`
	// Rollback says whether workers can be put back to a snapshot after each call.
	Rollback RollbackSupport `json:"rollback"`
	// Pool is its state at the moment.
	Pool PoolStats `json:"pool"`
	// Prewarmed is how many unbound workers are kept ready; MaxInvocations, the calls a worker serves, 0 for no limit.
	Prewarmed      int `json:"prewarmed"`
	MaxInvocations int `json:"maxInvocations"`
	// Problem is why calls get no worker, in a few words; empty when they do.
	Problem string `json:"problem,omitempty"`
	// Err says whether a call can get a worker: nil, ErrClosed, ErrWarming, or an error that wraps ErrFailing and the
	// cause of the last failure, which may hold paths of the host. A pool that is merely busy has none.
	Err error `json:"-"`
	// Summary says in a few words what stands around a worker.
	Summary string `json:"-"`
}

// Snapshot tells of the runtime's part of the pool as it is now.
func (p *runtimePool) Snapshot() RuntimeSnapshot {
	s := RuntimeSnapshot{
		Report: Report{Isolation: p.cfg.Isolation, Layers: []Layer{}}, Summary: p.starter.describe(),
		Prewarmed: p.cfg.Prewarmed, MaxInvocations: p.cfg.MaxInvocations, Rollback: p.rollbackSupport(),
	}
	if s.Rollback.Mechanism = MechanismFork; s.Rollback.Available {
		s.Rollback.Mechanism = MechanismRollback
	}
	s.Pool, s.Err = p.scheduler.snapshot()
	if starter, ok := p.starter.(reporter); ok {
		s.Report = starter.report()
	}
	if starter, ok := p.starter.(methodTeller); ok {
		s.Start = starter.method()
	}
	switch {
	case errors.Is(s.Err, ErrClosed):
		s.Problem = ErrClosed.Error()
	case s.Err != nil && !errors.Is(s.Err, ErrWarming): // the cause is in the log
		s.Problem = ErrFailing.Error()
	}
	return s
}

// Snapshot tells of a pool at one moment.
type Snapshot struct {
	// Runtimes has one for each, by the runtime's name.
	Runtimes map[string]RuntimeSnapshot `json:"runtimes"`
	// Pool adds them up.
	Pool PoolStats `json:"pool"`
	// Err is that of the first runtime, and ErrWarming while another one of the start is: one beside the first that does
	// not start fails its own functions and no others. Runtimes that are added later make it no ErrWarming.
	Err error `json:"-"`
	// Summary is the same for all.
	Summary string `json:"-"`
}

// Snapshot tells of the pool as it is now. It costs little: nothing is asked of the kernel or of workers.
func (p *Pool) Snapshot() Snapshot {
	all := Snapshot{Runtimes: map[string]RuntimeSnapshot{}}
	now := p.current.Load()
	for _, rt := range now.runtimes {
		s := now.parts[rt.Name].Snapshot()
		p.extra.addTo(&s, rt.Name)
		s.Runtime = rt
		s.Rollback.Fallbacks = p.cfg.fallbacks.list(rt.Name, rt.Name == now.runtimes[0].Name)
		all.Runtimes[rt.Name] = s
		all.Pool.add(&s.Pool)
		if errors.Is(s.Err, ErrWarming) && all.Err == nil {
			all.Err = ErrWarming
		}
	}
	first := all.Runtimes[now.runtimes[0].Name]
	all.Summary = first.Summary
	if first.Err != nil {
		all.Err = first.Err
	}
	switch {
	case !errors.Is(all.Err, ErrWarming):
		p.warm.Store(true)
	case p.warm.Load():
		all.Err = nil
	}
	return all
}

// add adds the state of another runtime, which shares Size and what groups have.
func (s *PoolStats) add(other *PoolStats) {
	s.Size, s.Active, s.QueueSize = other.Size, other.Active, other.QueueSize
	s.Groups, s.MostHeld, s.MostQueued = other.Groups, other.MostHeld, other.MostQueued
	s.Starting += other.Starting
	s.Prewarmed += other.Prewarmed
	s.Idle += other.Idle
	s.Busy += other.Busy
	s.Waiting += other.Waiting
	s.Unread += other.Unread
	s.Unattended += other.Unattended
	s.Late += other.Late
	s.Queued += other.Queued
}

// Memory is what the workers of all runtimes use; false says that nothing counts it, as without cgroups. It is
// no part of a Snapshot because it reads files of the kernel.
func (p *Pool) Memory() (MemoryUsage, bool) {
	first, err := p.current.Load().part("")
	if err != nil {
		return MemoryUsage{}, false
	}
	starter, ok := first.starter.(usageTeller)
	if !ok {
		return MemoryUsage{}, false
	}
	return starter.memory()
}
